import type { Texts } from "../lib/i18n/texts.ts";
import { DISPLAY_OPTIONS, type FlagName, FLAGS } from "../lib/protocol/display_options.ts";
import type { ViewRules } from "../lib/protocol/display_options.ts";
import { Check } from "./Check.tsx";
import { useTexts } from "./texts.ts";

/** The texts of an option that is a yes or no. */
interface OptionTexts {
  readonly label: string;
  readonly hint: string;
  /** For the viewer, before the picture is opened. */
  readonly note: string;
  /** For the owner, after the viewing time. */
  readonly caption?: string;
}

/** What is said about the options that are on, in their order. */
export function sayOptions(t: Texts, rules: ViewRules, kind: "note" | "caption"): string[] {
  const texts: Readonly<Record<FlagName, OptionTexts>> = t.options;
  return FLAGS.flatMap((name) => rules[name] ? texts[name][kind] ?? [] : []);
}

/** A checkbox for each option that is a yes or no; `ofPicture`: those of a single picture. */
export function DisplayOptions(
  { rules, ofPicture = false, onChange }: {
    rules: ViewRules;
    ofPicture?: boolean;
    onChange: (changed: Partial<ViewRules>) => void;
  },
) {
  const t = useTexts();
  return (
    <>
      {FLAGS.filter((name) => !ofPicture || DISPLAY_OPTIONS[name].perPicture).map((name) => (
        <Check
          key={name}
          name={ofPicture ? `picture-${name}` : name}
          label={t.options[name].label}
          hint={t.options[name].hint}
          on={rules[name]}
          onChange={(on) => onChange({ [name]: on })}
        />
      ))}
    </>
  );
}
