/** The part of `fresh/dev` that this app uses. See README.md. */
export { Builder, type BuildOptions } from "./builder.ts";
