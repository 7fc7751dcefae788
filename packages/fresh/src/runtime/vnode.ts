import { type ComponentType, h, type VNode } from "preact";

/**
 * `h()` for a node with typed props. Preact's VNode type can't be converted to one without props,
 * although every function that renders a node takes that type.
 */
export function node<P extends object>(type: ComponentType<P> | string, props: P): VNode {
  return h(type as ComponentType, props) as VNode;
}
