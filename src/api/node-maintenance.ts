/** NodeMaintenance: one node, one operation. A policy, the CLI or a person creates it. */
import * as z from 'zod';
import { action, actionFields, actionRules } from './action-spec.ts';
import { withRules } from './cel-rule.ts';
import { drainSpec } from './drain-spec.ts';
import { handBack } from './maintenance-policy.ts';
import { conditions, resource } from './object-meta.ts';
import { profileNames } from './reason.ts';
import { dateTime, objectName } from './scalars.ts';

const reason = z.strictObject({
  type: z
    .enum(['Taint', 'Condition', 'Label', 'Annotation', 'Signal', 'ScheduledEvent', 'Drift', 'Age', 'Manual'])
    .default('Manual')
    .describe('What kind of reason it is.'),
  message: z.string().min(1).max(1024).default('asked for by hand').describe('The reason in words.'),
});

const notice = z.strictObject({
  kind: z.string().min(1).max(64).describe('What was announced, like SpotInterruption.'),
  source: z.string().max(64).default('').describe('Who has announced it, like aws.'),
  id: z.string().max(256).default('').describe('Which event it is.'),
  since: dateTime().exactOptional().describe('When it was announced.'),
  profile: z
    .enum(profileNames)
    .default('Ordinary')
    .describe(
      'How the drain is altered. HalfMinute, TwoMinutes: all pods at once, and budgets are kept for half of the notice. Minutes, Days: budgets are kept until the grace of a pod has to begin. SurgeFirst: replacements first. Ordinary: not at all. What `drain` sets itself stays.',
    ),
  revocable: z
    .boolean()
    .default(true)
    .describe('Whether the node is handed back when the announcement goes away. False: the machine goes all the same.'),
  heldUntil: dateTime()
    .exactOptional()
    .describe('Until then the windows and limits of the policy hold back a node with a deadline, too; absent: not at all.'),
});

const nodeName = withRules(objectName(), [
  { cel: 'self == oldSelf', message: 'a maintenance stays with its node; create another one' },
]);

const cancelled = withRules(z.boolean(), [
  { cel: 'self || !oldSelf', message: 'a cancelled maintenance cannot be taken up again; create another one' },
]);

// An unset metav1.Time of a Go program is 0001-01-01: taken at its word, every grace would be cut to a second. The rule also
// makes the server read the value; without one, 1.34 accepts a list where a formatted string is asked for.
const goneAt = withRules(dateTime(), [
  {
    cel: "self >= timestamp('2000-01-01T00:00:00Z')",
    message: 'must lie after the year 2000',
    holds: (time) => Number(time.slice(0, 4)) >= 2000,
  },
]);

// With another action midway nobody could say what has been done to the node.
const ownAction = withRules(action, [{ cel: 'self == oldSelf', message: 'a maintenance keeps its action; create another one' }]);

export const maintenanceSpec = withRules(
  z.strictObject({
    nodeName: nodeName.describe('The node. Cannot be changed.'),
    policy: objectName()
      .exactOptional()
      .describe('The policy that created this and whose limits it keeps; absent: outside every policy.'),
    reason: reason.prefault({}).describe('Why.'),
    action: ownAction,
    ...actionFields,
    drain: drainSpec.prefault({}).describe('How the node is emptied: a copy of the policy’s, as it was at the start.'),
    handBack,
    priority: z.int32().default(0).describe('When nodes compete for a place, the higher priority goes first.'),
    paused: z
      .boolean()
      .default(false)
      .describe('Do nothing for now: the node is handed back, and taken again when this is false.'),
    pausedBecause: z.string().min(1).max(1024).exactOptional().describe('Why it is paused, for people.'),
    cancelled: cancelled.default(false).describe('Stop, undo what was changed on the node, and end. Cannot be taken back.'),
    runNow: z
      .boolean()
      .default(false)
      .describe('Start whenever the other limits allow it, also outside the windows of the policy.'),
    deadline: goneAt
      .exactOptional()
      .describe(
        'When the machine is gone. No window and no limit of the policy holds it back, graces are shortened, and pods deleted, so that they end before.',
      ),
    notice: notice
      .exactOptional()
      .describe('What was announced for the machine; the controller keeps it, and the deadline with it, as its reason tells.'),
  }),
  actionRules,
);

const count = (description: string) => z.int32().min(0).describe(description);

const waitFields = {
  cause: z.string().min(1).max(64).describe('What it is, in one word.'),
  message: z.string().max(4096).describe('What it is, in a sentence.'),
  since: dateTime().describe('Since when.'),
  unblock: z.string().max(4096).describe('What would end the wait.'),
};

const podWaiting = z.object(waitFields).meta({ title: 'PodWaiting' });

const waiting = z
  .object({
    ...waitFields,
    owner: z
      .object({
        kind: z.string().min(1).max(63).describe('Its kind, like PodDisruptionBudget.'),
        namespace: z.string().max(63).exactOptional().describe('Its namespace.'),
        name: z.string().min(1).max(253).describe('Its name.'),
      })
      .exactOptional()
      .describe('The object that decides about it.'),
    pod: z.string().max(317).exactOptional().describe('The pod that it is about, as namespace/name.'),
  })
  .meta({ title: 'Waiting' });

const pod = z.object({
  namespace: z.string().max(63).describe('Namespace of the pod.'),
  name: z.string().max(253).describe('Name of the pod.'),
  uid: z.string().max(64).describe('Uid of the pod: a namesake created later is another one.'),
  owner: z.string().max(317).exactOptional().describe('Its controller, like ReplicaSet/web-5d4f.'),
  tier: z.string().max(64).describe('The group that it leaves with; empty for a pod that stays.'),
  state: z
    .enum(['Skipped', 'Protected', 'Waiting', 'HandingOver', 'Evicting', 'Terminating', 'Gone'])
    .describe('Skipped: stays. Protected: keeps the node from being drained. The others: how far it is.'),
  because: podWaiting.exactOptional().describe('Why it has not gone further.'),
  handover: z.string().max(1024).exactOptional().describe('How its handover stands, or why there is none.'),
});

const progress = z.object({
  total: count('Pods that have to leave, those that have left included.'),
  evicted: count('Pods whose eviction was granted.'),
  gone: count('Pods that have left.'),
  remaining: count('Pods that have not.'),
  percent: z.int32().min(0).max(100).describe('Share of those that have left.'),
  summary: z.string().max(32).describe('gone/total, like 12/30.'),
});

const journalEntry = z.object({
  at: dateTime().describe('When.'),
  do: z.string().max(1024).describe('What was changed.'),
  undo: z.string().max(1024).describe('What takes it back; empty for what cannot be.'),
  object: z.string().max(600).describe('The object, like Node/worker-3 or Pod/shop/web-x.'),
});

const acted = z.object({
  since: dateTime().describe('When the present attempt was written down. Nothing is done to the node before.'),
  attempt: count('Which attempt it is, counted over the whole maintenance.'),
  failures: count('Pods that have failed without a reboot since the node was drained.'),
  open: z.boolean().describe('False for an attempt that was given up before anything was done to the node.'),
  bootIdBefore: z.string().max(253).exactOptional().describe('The boot id of the node when the attempt was written down.'),
  bootIdAfter: z.string().max(253).exactOptional().describe('The boot id that it came back with.'),
  pod: z.string().max(317).exactOptional().describe('The pod that tells the node to reboot, as namespace/name.'),
  healthySince: dateTime().exactOptional().describe('Since when everything that is verified holds.'),
  doneAt: dateTime().exactOptional().describe('When the action was done and verified.'),
  failure: z
    .object({
      cause: z.enum(['RebootFailed', 'VerifyFailed', 'HookFailed']).describe('What has failed.'),
      message: z.string().max(4096).describe('How, in a sentence.'),
    })
    .exactOptional()
    .describe('Why the phase is ActionFailed.'),
});

export const maintenanceStatus = z.object({
  phase: z
    .enum([
      'Pending',
      'Draining',
      'Settling',
      'BeforeHook',
      'Rebooting',
      'Deleting',
      'Verifying',
      'AfterHook',
      'Drained',
      'ActionFailed',
      'BackOff',
      'Undoing',
      'HandedBack',
      'Cancelled',
      'Failed',
    ])
    .exactOptional()
    .describe(
      'Pending: waits for its turn. Draining: cordoned, pods leave. Settling: empty, replacements get Ready. BeforeHook, Rebooting, Deleting, Verifying, AfterHook: what the action does to the empty node. Drained: done. ActionFailed: what was done to the node failed, and it stays cordoned until a person has looked. BackOff: stepped aside, tried again later. Undoing: changes are taken back. HandedBack, Cancelled, Failed: ended.',
    ),
  observedGeneration: z.int().min(0).exactOptional().describe('The metadata.generation that this status is about.'),
  phaseSince: dateTime().exactOptional().describe('When the phase began.'),
  startedAt: dateTime().exactOptional().describe('When the present try began.'),
  drainedAt: dateTime().exactOptional().describe('When the node was drained.'),
  finishedAt: dateTime().exactOptional().describe('When the maintenance ended.'),
  attempts: z.int32().min(0).exactOptional().describe('Tries that stood still so far.'),
  retryAt: dateTime().exactOptional().describe('In BackOff: when the next try begins.'),
  message: z.string().max(4096).exactOptional().describe('Where it stands, in a sentence.'),
  action: acted.exactOptional().describe('What has been done to the empty node.'),
  progress: progress.exactOptional().describe('How far the drain is.'),
  waitingFor: waiting.exactOptional().describe('The one thing that it waits for now; absent: nothing keeps it.'),
  pods: z.array(pod).max(200).exactOptional().describe('The pods of the node, at most 200 of them.'),
  podsOmitted: count('How many pods are not shown because the list is full.').exactOptional(),
  journal: z
    .array(journalEntry)
    .max(100)
    .exactOptional()
    .describe('What was changed, oldest first; the oldest entries are dropped when it is full.'),
  conditions: conditions.exactOptional().describe('Where the maintenance stands.'),
});

/** A whole NodeMaintenance. */
export const nodeMaintenance = resource('NodeMaintenance', maintenanceSpec, maintenanceStatus);
