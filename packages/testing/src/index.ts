/** What the tests of all packages share. Not published. */
export { describeJudge, findJudge, isRequired, type JudgeName, judgeNames } from './judges.js';
export { has, needs, type JudgedOptions, pathOf } from './needs.js';
export { randomOf } from './random.js';
export { useSoftwareWhereNeeded } from './software-gpu.js';
