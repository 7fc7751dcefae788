import { INVITATION_PROPERTIES } from "./invitations.ts";
import { testProperties } from "./property.ts";

testProperties(INVITATION_PROPERTIES);
