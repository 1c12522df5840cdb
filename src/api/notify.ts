/** Who is told what, and where: an entry of `notify` in a policy, or in the controller's configuration. */
import * as z from 'zod';
import { ownChannel, policyChannel, template } from './notify-channel.ts';
import { duration, matching } from './scalars.ts';

/** What is told of one node, in the order in which it usually comes. */
export const topics = [
  'Started',
  'Drained',
  'Rebooting',
  'Verifying',
  'HandedBack',
  'SteppedAside',
  'Waiting',
  'Failed',
  'Cancelled',
] as const;

export type Topic = (typeof topics)[number];

const entryName = () =>
  matching('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$', 'must be a name of lower-case letters, digits, - and .').min(1).max(63);

const on = z
  .array(z.enum(topics))
  .max(topics.length)
  .default(['Started', 'Drained', 'HandedBack', 'Waiting', 'Failed'])
  .describe(
    'What is told. Started: cordoned, pods begin to leave. Drained: empty. Rebooting, Verifying: with such an action. HandedBack: back in service. SteppedAside: handed back for now, tried again later. Waiting: longer than waitingFor for one thing. Failed: given up. Cancelled: taken back by a person or because the reason has gone.',
  );

const messages = z
  .strictObject(
    Object.fromEntries(
      topics.map((topic) => [topic, template(4096).exactOptional().describe(`The message for ${topic}.`)]),
    ) as Record<Topic, z.ZodExactOptional<ReturnType<typeof template>>>,
  )
  .describe('Messages for single topics, before `message`.');

const shared = {
  on,
  waitingFor: duration('10s', '744h').default('15m').describe('How long one wait must have lasted to be told.'),
  reasons: z
    .array(z.string().min(1).max(63))
    .min(1)
    .max(16)
    .exactOptional()
    .describe('Only maintenances for these reasons, by type (Taint, Condition ...) or by name. Absent: for any.'),
  per: z
    .enum(['Node', 'Run'])
    .default('Node')
    .describe(
      'Node: a message for each node, edited as it goes on where the service can. Run: one message for all nodes of the policy that are out at about the same time, "12 of 40 done", edited where the service can and else sent every digestEvery; what waits or failed is told at once.',
    ),
  digestEvery: duration('1m', '24h').default('15m').describe('With Run, where messages cannot be edited: how often it is told.'),
  message: template(4096).exactOptional().describe('The message. Absent: a sentence that says node, reason and how it stands.'),
  messages: messages.exactOptional(),
  retries: z
    .int32()
    .min(0)
    .max(20)
    .default(10)
    .describe('Tries after the first, where the service does not answer or is busy. 10 last about five minutes.'),
  perMinute: z
    .int32()
    .min(1)
    .max(600)
    .default(30)
    .describe('Most requests in a minute; what comes meanwhile for the same node becomes one message.'),
};

export const notifyEntry = z
  .strictObject({
    name: entryName().describe('What it is called in metrics, events and `drover notify test`.'),
    channel: policyChannel.describe('Where it goes.'),
    ...shared,
  })
  .meta({ title: 'Notify' });

/** An entry of the controller's configuration: told of every policy, and of maintenances without one. */
export const ownNotifyEntry = z.strictObject({
  name: entryName(),
  channel: ownChannel,
  ...shared,
  forNamespaces: z
    .boolean()
    .default(false)
    .describe('Namespaces may name it in their annotation drover.dev/notify, to be told of their pods.'),
});

// As the server does for a list that is a map: it names the second entry of a pair.
function uniqueNames<S extends z.ZodType<readonly { readonly name: string }[]>>(list: S): S {
  return list.superRefine((entries, context) => {
    entries.forEach(({ name }, index) => {
      if (entries.findIndex((other) => other.name === name) === index) return;
      context.addIssue({ code: 'custom', message: `name ${name} is there twice`, path: [index] });
    });
  });
}

export const notifyList = uniqueNames(z.array(notifyEntry).max(16)).meta({
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['name'],
});

export const ownNotifyList = uniqueNames(z.array(ownNotifyEntry).max(32));

export type PolicyNotify = z.output<typeof notifyEntry>;
export type OwnNotify = z.output<typeof ownNotifyEntry>;
export type NotifyEntry = PolicyNotify | OwnNotify;
