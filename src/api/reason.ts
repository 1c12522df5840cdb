/** What on a node calls for maintenance, as a policy names it. */
import * as z from 'zod';
import { type Rule, withRules } from './cel-rule.ts';
import { driftMatch } from './drift.ts';
import { annotations, taints } from './names.ts';
import { signalKinds } from './node-signal.ts';
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

const signalSources = ['sentinel', 'azure', 'aws', 'gcp', 'check'] as const;

const signalMatch = z.strictObject({
  kinds: z.array(z.enum(signalKinds)).min(1).max(signalKinds.length).describe('The kinds of signal; one of them is enough.'),
  sources: z
    .array(z.enum(signalSources))
    .min(1)
    .max(signalSources.length)
    .exactOptional()
    .describe('Where the agent must have it from; absent: anywhere.'),
});

const ageMatch = z.strictObject({
  maxAge: duration('1h').describe('How old a node may get, counted from its creation.'),
  jitter: duration()
    .default('0s')
    .describe(
      'Each node may get older by a share of this, always the same for one node, so that nodes born together do not go together.',
    ),
});

export const eventTypes = ['Preempt', 'Terminate', 'Redeploy', 'Reboot', 'Freeze'] as const;

const scheduledEventMatch = z.strictObject({
  types: z.array(z.enum(eventTypes)).min(1).max(eventTypes.length).describe('The types of event; one of them is enough.'),
});

/** How a drain is altered when its machine goes at a known time; see engine/deadline-profile.ts. */
export const profileNames = ['Ordinary', 'SurgeFirst', 'HalfMinute', 'TwoMinutes', 'Minutes', 'Days'] as const;

export type ReasonType = 'Taint' | 'Condition' | 'Label' | 'Annotation' | 'Signal' | 'ScheduledEvent' | 'Drift' | 'Age';

export type TaintMatch = z.output<typeof taintMatch>;
export type ConditionMatch = z.output<typeof conditionMatch>;
export type LabelMatch = z.output<typeof labelMatch>;
export type AnnotationMatch = z.output<typeof annotationMatch>;
export type SignalMatch = z.output<typeof signalMatch>;
export type ScheduledEventMatch = z.output<typeof scheduledEventMatch>;
export type DriftMatch = z.output<typeof driftMatch>;
export type AgeMatch = z.output<typeof ageMatch>;

interface ReasonCommon {
  readonly name?: string;
  readonly priority?: number;
  readonly when?: 'Now' | 'Before' | 'NextWindow';
  readonly before?: string;
  readonly profile?: (typeof profileNames)[number];
}

export type Reason = ReasonCommon &
  (
    | { readonly type: 'Taint'; readonly taint: TaintMatch }
    | { readonly type: 'Condition'; readonly condition: ConditionMatch }
    | { readonly type: 'Label'; readonly label: LabelMatch }
    | { readonly type: 'Annotation'; readonly annotation: AnnotationMatch }
    | { readonly type: 'Signal'; readonly signal: SignalMatch }
    | { readonly type: 'ScheduledEvent'; readonly scheduledEvent: ScheduledEventMatch }
    | { readonly type: 'Drift'; readonly drift: DriftMatch }
    | { readonly type: 'Age'; readonly age: AgeMatch }
  );

const branches = {
  Taint: 'taint',
  Condition: 'condition',
  Label: 'label',
  Annotation: 'annotation',
  Signal: 'signal',
  ScheduledEvent: 'scheduledEvent',
  Drift: 'drift',
  Age: 'age',
} as const satisfies Record<ReasonType, string>;

// A structural schema has no discriminated unions: the branches are optional properties and these rules tie each to its type.
const branchRules = Object.entries(branches).map(
  ([type, field]): Rule<{ type: string } & { [F in (typeof branches)[ReasonType]]?: unknown }> => ({
    cel: `has(self.${field}) == (self.type == '${type}')`,
    message: `${field} is required when type is ${type}, and forbidden otherwise`,
    field,
    holds: (reason) => (reason[field] !== undefined) === (reason.type === type),
  }),
);

const announced = (type: string) => type === 'Signal' || type === 'ScheduledEvent';

const timingRules: readonly Rule<{ type: string; when?: string; before?: string; profile?: string }>[] = [
  ...(['when', 'profile'] as const).map((field) => ({
    cel: `!has(self.${field}) || self.type == 'Signal' || self.type == 'ScheduledEvent'`,
    message: `${field} is only for reasons of type Signal and ScheduledEvent, which tell a time`,
    field,
    holds: (reason: { type: string; when?: string; profile?: string }) => reason[field] === undefined || announced(reason.type),
  })),
  {
    cel: `has(self.before) == (has(self.when) && self.when == 'Before')`,
    message: 'before is required when when is Before, and forbidden otherwise',
    field: 'before',
    holds: ({ when, before }) => (before !== undefined) === (when === 'Before'),
  },
];

export const reasonSchema = withRules(
  z.strictObject({
    name: z
      .string()
      .min(1)
      .max(63)
      .exactOptional()
      .describe('What people read in status, events and messages; absent: made from the match.'),
    type: z
      .enum(['Taint', 'Condition', 'Label', 'Annotation', 'Signal', 'ScheduledEvent', 'Drift', 'Age'])
      .describe('What kind of mark on the node is the reason. The field of the same name says which one.'),
    priority: z.int32().exactOptional().describe('Priority of a node that is taken for this reason; absent: the policy’s.'),
    when: z
      .enum(['Now', 'Before', 'NextWindow'])
      .exactOptional()
      .describe(
        'When a node is taken whose event lies ahead. Now: at once, whatever the windows and limits say. Before: from `before` ahead of the event on. NextWindow: within the windows and limits of the policy, and outside them only when the event is an hour away. Absent: as the kind of the event asks for.',
      ),
    before: duration('1s').exactOptional().describe('How long before the event the node is taken. For when: Before.'),
    profile: z
      .enum(profileNames)
      .exactOptional()
      .describe('How the drain is altered by its deadline; absent: as the kind of the event asks for.'),
    taint: taintMatch.exactOptional().describe('A taint on the node. For type Taint.'),
    condition: conditionMatch.exactOptional().describe('A condition in the status of the node. For type Condition.'),
    label: labelMatch.exactOptional().describe('A label on the node. For type Label.'),
    annotation: annotationMatch.exactOptional().describe('An annotation on the node. For type Annotation.'),
    signal: signalMatch.exactOptional().describe('What the agent of the node has been told. For type Signal.'),
    scheduledEvent: scheduledEventMatch
      .exactOptional()
      .describe('An event in the condition VMEventScheduled, which AKS sets without any agent. For type ScheduledEvent.'),
    drift: driftMatch.exactOptional().describe('The node is not what it should be. For type Drift.'),
    age: ageMatch.exactOptional().describe('The node is too old. For type Age.'),
  }),
  [...branchRules, ...timingRules],
).transform((reason) => reason as Reason); // the branch rules have made it one
