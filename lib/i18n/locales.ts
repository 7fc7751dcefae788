/**
 * The languages, one line each. Everything else about a language is in its file in `locales/`.
 *
 * This module is browser compatible.
 *
 * @module
 */
export { default as ar } from "../../locales/ar.json" with { type: "json" };
export { default as de } from "../../locales/de.json" with { type: "json" };
export { default as en } from "../../locales/en.json" with { type: "json" };
export { default as es } from "../../locales/es.json" with { type: "json" };
export { default as fr } from "../../locales/fr.json" with { type: "json" };
export { default as he } from "../../locales/he.json" with { type: "json" };
export { default as it } from "../../locales/it.json" with { type: "json" };
export { default as ja } from "../../locales/ja.json" with { type: "json" };
export { default as pl } from "../../locales/pl.json" with { type: "json" };
export { default as pt } from "../../locales/pt.json" with { type: "json" };
export { default as ru } from "../../locales/ru.json" with { type: "json" };
export { default as zh } from "../../locales/zh.json" with { type: "json" };
