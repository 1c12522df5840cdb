/** MaintenancePolicy: "these nodes, for these reasons, get this, within these limits". */
import * as z from 'zod';
import { action, actionFields, actionRules } from './action-spec.ts';
import { withRules } from './cel-rule.ts';
import { drainSpec } from './drain-spec.ts';
import { breaker, gatesSpec } from './gates.ts';
import { notifyList } from './notify.ts';
import { conditions, resource } from './object-meta.ts';
import { reasonSchema } from './reason.ts';
import { dateTime, duration, intOrPercent, qualifiedName } from './scalars.ts';
import { scheduleSpec } from './schedule.ts';
import { labelSelector } from './selector.ts';

export const handBack = z
  .enum(['WhenCauseClears', 'Never'])
  .default('WhenCauseClears')
  .describe(
    'What happens afterwards. WhenCauseClears: when the reason is gone, or with action Reboot or Hook as soon as the node is verified, everything that Drover changed on the node is undone, the cordon too. Never: the node stays as it is.',
  );

const groupLimit = z.strictObject({
  label: qualifiedName().describe(
    'The node label whose values are the groups, like topology.kubernetes.io/zone. Nodes without it are one group.',
  ),
  maxNodes: intOrPercent().describe('How many nodes of one group may be out at once; a percentage is of the group.'),
});

// The server names the second entry of a pair; so does this.
const perGroup = z
  .array(groupLimit)
  .max(8)
  .superRefine((groups, context) => {
    groups.forEach((group, index) => {
      if (groups.findIndex((other) => other.label === group.label) === index) return;
      context.addIssue({ code: 'custom', message: `label ${group.label} is listed twice`, path: [index] });
    });
  })
  .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['label'] });

const disruption = z.strictObject({
  maxNodes: intOrPercent()
    .default(1)
    .describe(
      'How many of the selected nodes may be out at once, whoever took them out (cordoned by hand or not Ready counts too). A percentage rounds down to at least 1. 0 stops everything.',
    ),
  perGroup: perGroup.default([]).describe('Further limits, each for the nodes that share a value of a label.'),
  minInterval: duration().default('0s').describe('Least time between two starts.'),
  massTrigger: intOrPercent()
    .default('50%')
    .describe(
      'When more of the selected nodes than this (and more than 3) match a Condition reason at once, nothing new is started for such a reason: so many at once point at the check or at what the nodes share.',
    ),
  controlPlane: intOrPercent()
    .default(1)
    .describe(
      'A control-plane node (label node-role.kubernetes.io/control-plane) is started only while fewer of them than this are out, all policies together. A percentage is of all control-plane nodes.',
    ),
  breaker: breaker
    .exactOptional()
    .describe(
      'When so many maintenances have failed, nothing new is started until `drover resume policy/NAME` or a change of the spec.',
    ),
});

export const policySpec = withRules(
  z.strictObject({
    nodeSelector: labelSelector.describe('The nodes, by their labels. An empty selector selects no node.'),
    reasons: z
      .array(reasonSchema)
      .min(1)
      .max(16)
      .describe('What calls for maintenance; one that matches is enough, the first that does is named.'),
    action,
    ...actionFields,
    priority: z.int32().default(0).describe('When nodes compete for a place, the higher priority goes first.'),
    paused: z.boolean().default(false).describe('Start nothing new. What is under way is finished.'),
    schedule: scheduleSpec
      .exactOptional()
      .describe('When nodes are started; what is under way is finished whenever that is. Absent: at any time.'),
    disruption: disruption.prefault({}).describe('How many nodes at once.'),
    gates: gatesSpec
      .prefault({})
      .describe(
        'What must be so before a node is started; asked while one would start, and holding back when there is no answer.',
      ),
    drain: drainSpec.prefault({}).describe('How a node is emptied.'),
    handBack,
    notify: notifyList.exactOptional().describe('Who is told about it, and where.'),
  }),
  actionRules,
);

const count = (description: string) => z.int32().min(0).exactOptional().describe(description);

const run = z.object({
  since: dateTime().describe('When the first of them came.'),
  messages: z
    .array(
      z.object({
        name: z.string().max(80).describe('The entry of notify, after policy: or own:.'),
        message: z.string().max(512).describe('The message, as its service names it.'),
      }),
    )
    .max(48)
    .describe('The messages that are edited.'),
});

export const policyStatus = z.object({
  observedGeneration: z.int().min(0).exactOptional().describe('The metadata.generation that this status is about.'),
  selected: count('Nodes that the selector selects.'),
  matched: count('Of those, nodes for which a reason matches now.'),
  active: count('Nodes being drained or settled now.'),
  waiting: count('Nodes that wait for their turn.'),
  done: count('Nodes that are drained and not handed back yet.'),
  waitingFor: z.string().max(1024).exactOptional().describe('Why nothing more starts now, in one line.'),
  run: run.exactOptional().describe('What was told about the nodes that are out now, so that the next leader goes on with it.'),
  conditions: conditions.exactOptional().describe('Where the policy stands.'),
});

/** A whole MaintenancePolicy. */
export const maintenancePolicy = resource('MaintenancePolicy', policySpec, policyStatus);
