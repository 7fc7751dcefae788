import { PARSER_PROPERTIES } from "./parsers.ts";
import { testProperties } from "./property.ts";

testProperties(PARSER_PROPERTIES);
