import { testProperties } from "./property.ts";
import { RECORD_PROPERTIES } from "./records.ts";

testProperties(RECORD_PROPERTIES);
