/** What on a node calls for maintenance, as a policy names it. */
import * as z from 'zod';
import { type Rule, withRules } from './cel-rule.ts';
import { annotations, taints } from './names.ts';
import { duration, labelValue, qualifiedName } from './scalars.ts';

const ownMark = (key: string, what: string): Rule<{ key: string }> => ({
  cel: `self.key != '${key}'`,
  message: `${key} is the ${what} that Drover sets itself; it cannot be a reason`,
  field: 'key',
  holds: (match) => match.key !== key,
});

const taintMatch = withRules(
  z.strictObject({
    key: qualifiedName().describe('Key of the taint.'),
    value: labelValue().exactOptional().describe('Its value; absent: any.'),
    effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).exactOptional().describe('Its effect; absent: any.'),
  }),
  // A node that is drained because it is being drained would never come back.
  [ownMark(taints.maintenance.key, 'taint')],
);

const conditionMatch = z.strictObject({
  type: qualifiedName().describe('Type of the node condition, like KernelDeadlock or Ready.'),
  status: z.enum(['True', 'False', 'Unknown']).default('True').describe('The status that is the reason.'),
  for: duration()
    .default('0s')
    .describe(
      'How long the condition must have had this status. Drover times it itself, so that a flapping condition starts anew.',
    ),
});

const labelMatch = z.strictObject({
  key: qualifiedName().describe('Key of the label.'),
  value: labelValue().exactOptional().describe('Its value; absent: any.'),
});

const annotationMatch = withRules(
  z.strictObject({
    key: qualifiedName().describe('Key of the annotation.'),
    value: z.string().max(1024).exactOptional().describe('Its value; absent: any.'),
  }),
  [ownMark(annotations.maintenance, 'annotation')],
);

export type ReasonType = 'Taint' | 'Condition' | 'Label' | 'Annotation';

export type TaintMatch = z.output<typeof taintMatch>;
export type ConditionMatch = z.output<typeof conditionMatch>;
export type LabelMatch = z.output<typeof labelMatch>;
export type AnnotationMatch = z.output<typeof annotationMatch>;

export type Reason = { readonly name?: string } & (
  | { readonly type: 'Taint'; readonly taint: TaintMatch }
  | { readonly type: 'Condition'; readonly condition: ConditionMatch }
  | { readonly type: 'Label'; readonly label: LabelMatch }
  | { readonly type: 'Annotation'; readonly annotation: AnnotationMatch }
);

const branches = { Taint: 'taint', Condition: 'condition', Label: 'label', Annotation: 'annotation' } as const satisfies Record<
  ReasonType,
  string
>;

// A structural schema has no discriminated unions: the branches are optional properties and these rules tie each to its type.
const branchRules = Object.entries(branches).map(
  ([type, field]): Rule<{ type: string } & { [F in (typeof branches)[ReasonType]]?: unknown }> => ({
    cel: `has(self.${field}) == (self.type == '${type}')`,
    message: `${field} is required when type is ${type}, and forbidden otherwise`,
    field,
    holds: (reason) => (reason[field] !== undefined) === (reason.type === type),
  }),
);

export const reasonSchema = withRules(
  z.strictObject({
    name: z
      .string()
      .min(1)
      .max(63)
      .exactOptional()
      .describe('What people read in status, events and messages; absent: made from the match.'),
    type: z
      .enum(['Taint', 'Condition', 'Label', 'Annotation'])
      .describe('What kind of mark on the node is the reason. The field of the same name says which one.'),
    taint: taintMatch.exactOptional().describe('A taint on the node. For type Taint.'),
    condition: conditionMatch.exactOptional().describe('A condition in the status of the node. For type Condition.'),
    label: labelMatch.exactOptional().describe('A label on the node. For type Label.'),
    annotation: annotationMatch.exactOptional().describe('An annotation on the node. For type Annotation.'),
  }),
  branchRules,
).transform((reason) => reason as Reason); // the branch rules have made it one
