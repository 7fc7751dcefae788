import { type ComponentType, h, type VNode } from "preact";

/**
 * `h()` for a node whose props have been checked here: Preact's VNode type can't be widened to one
 * without props, although that is what every function that renders a node takes.
 */
export function node<P extends object>(type: ComponentType<P> | string, props: P): VNode {
  return h(type as ComponentType, props) as VNode;
}
