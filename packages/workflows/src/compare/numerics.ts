/**
 * The version of everything that decides numbers: reading, preparation, networks, training, prediction, metrics. Results of
 * one comparison must share it.
 *
 * Raise it by hand in the commit that changes numbers, and only then: older results can then no longer be mixed with new
 * ones. A test holds golden values of the whole way (test/numerics.test.ts) and fails when they change and this did not.
 *
 *   1  the first declared version; results made before it was declared count as 1
 */
export const numericsVersion = 1;
