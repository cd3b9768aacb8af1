/** The static computation graph: build, differentiate, plan. */
export { differentiate } from './differentiate.js';
export { GraphError } from './errors.js';
export { Graph, type Initializer, liveNodes, type Variable } from './graph.js';
export { elementCount, type ElementKind, type GraphNode, type OperationNode, type Shape } from './node.js';
export { hasOwnStatistics } from './operations/channels.js';
export { type ResizeMode, resizeMatrix } from './operations/grid.js';
export { type AttributesOf, type InputsOf, type OperationName, operationNames } from './operations/specs.js';
export { type BufferPlan, bytesOf, plan } from './plan.js';
export { evaluateNode, runReference } from './reference.js';
