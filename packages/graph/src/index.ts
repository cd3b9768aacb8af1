/** The static computation graph: build, differentiate, plan. */
export { differentiate } from './differentiate.js';
export { GraphError } from './errors.js';
export {
  type Attributes,
  type ElementKind,
  elementCount,
  Graph,
  type GraphNode,
  type Initializer,
  liveNodes,
  type Shape,
  type Variable,
} from './graph.js';
export { type ResizeMode, resizeMatrix } from './operations/grid.js';
export { operations } from './operations/index.js';
export { type BufferPlan, bytesOf, plan } from './plan.js';
export { runReference } from './reference.js';
