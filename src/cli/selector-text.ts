/** Label selectors as kubectl's flags write them: a=b, a==b, a!=b, a in (b,c), a notin (b,c), a, !a; joined by commas, all must hold. */
import type { LabelSelectorRequirement } from '../api/objects.ts';
import { UsageError } from './errors.ts';

const key = String.raw`[A-Za-z0-9](?:[A-Za-z0-9_./-]*[A-Za-z0-9])?`;
const value = String.raw`[A-Za-z0-9_.-]*`;
const term = new RegExp(
  String.raw`^\s*(?:(!)\s*)?(${key})\s*(?:(==|=|!=)\s*(${value})|\s(in|notin)\s*\(\s*(${value}(?:\s*,\s*${value})*)\s*\))?\s*(?:,|$)`,
);

/** @throws UsageError naming what cannot be read. */
export function parseSelectorText(text: string): LabelSelectorRequirement[] {
  const found: LabelSelectorRequirement[] = [];
  let rest = text;
  while (rest.trim() !== '') {
    const match = term.exec(rest);
    if (!match)
      throw new UsageError(
        `"${rest.trim()}" cannot be read as a label selector; write it like app=web,tier!=cache or app in (web,api)`,
      );
    const [whole, not, name = '', equality, single = '', set, several = ''] = match;
    if (not && (equality || set)) throw new UsageError(`"${whole.trim()}" has both "!" and a value; write app!=web`);
    if (equality) found.push({ key: name, operator: equality === '!=' ? 'NotIn' : 'In', values: [single] });
    else if (set)
      found.push({ key: name, operator: set === 'in' ? 'In' : 'NotIn', values: several.split(',').map((each) => each.trim()) });
    else found.push({ key: name, operator: not ? 'DoesNotExist' : 'Exists', values: [] });
    rest = rest.slice(whole.length);
  }
  return found;
}

const opposite = { In: 'NotIn', NotIn: 'In', Exists: 'DoesNotExist', DoesNotExist: 'Exists' } as const;

/** What holds exactly when the requirement does not: a missing key satisfies NotIn, so In and NotIn are opposites. */
export function negated(requirement: LabelSelectorRequirement): LabelSelectorRequirement {
  return { ...requirement, operator: opposite[requirement.operator] };
}
