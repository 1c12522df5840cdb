/** metav1.LabelSelector as a schema. What it matches is in label-selector.ts. */
import * as z from 'zod';
import { withRules } from './cel-rule.ts';
import type { LabelSelector } from './objects.ts';
import { labelValue, QUALIFIED_NAME_PATTERN, qualifiedName } from './scalars.ts';

const MAX_TERMS = 32;
const isKey = new RegExp(QUALIFIED_NAME_PATTERN);
const hasValues = (term: { values?: string[] }) => (term.values ?? []).length > 0;

const requirement = withRules(
  z.strictObject({
    key: qualifiedName().describe('The label.'),
    operator: z
      .enum(['In', 'NotIn', 'Exists', 'DoesNotExist'])
      .describe('How its value is compared. A missing label satisfies NotIn.'),
    values: z
      .array(labelValue())
      .max(64)
      .exactOptional()
      .describe('What In and NotIn compare with; the other operators take none.'),
  }),
  [
    {
      cel: "!(self.operator in ['In', 'NotIn']) || (has(self.values) && size(self.values) > 0)",
      message: 'In and NotIn need at least one value',
      field: 'values',
      holds: (term) => !['In', 'NotIn'].includes(term.operator) || hasValues(term),
    },
    {
      cel: "self.operator in ['In', 'NotIn'] || !has(self.values) || size(self.values) == 0",
      message: 'Exists and DoesNotExist take no values',
      field: 'values',
      holds: (term) => ['In', 'NotIn'].includes(term.operator) || !hasValues(term),
    },
  ],
);

const matchLabels = withRules(z.record(z.string(), labelValue()), [
  {
    cel: `self.all(key, key.matches(r'${QUALIFIED_NAME_PATTERN}'))`,
    message: 'every key must be a label like app or example.com/app',
    holds: (map) => Object.keys(map).every((key) => isKey.test(key)),
  },
]);

// JSON Schema's maxProperties, which zod does not have for records.
const boundedMatchLabels = matchLabels
  .refine((map) => Object.keys(map).length <= MAX_TERMS, { error: `must have at most ${MAX_TERMS} entries` })
  .meta({ maxProperties: MAX_TERMS });

/** Every term must hold. The parsed form has both parts and all `values`, empty where not given. */
export const labelSelector = z
  .strictObject({
    matchLabels: boundedMatchLabels.exactOptional().describe('Labels that must have exactly these values.'),
    matchExpressions: z.array(requirement).max(MAX_TERMS).exactOptional().describe('Further terms.'),
  })
  .meta({ title: 'LabelSelector' })
  .transform(
    (selector): LabelSelector => ({
      matchLabels: selector.matchLabels ?? {},
      matchExpressions: (selector.matchExpressions ?? []).map(({ key, operator, values = [] }) => ({ key, operator, values })),
    }),
  );
