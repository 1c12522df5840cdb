/** What is done to a node once it is empty: the same blocks in a policy and in a single maintenance. */
import * as z from 'zod';
import { type Rule, withRules } from './cel-rule.ts';
import { duration, namespaceName, qualifiedName } from './scalars.ts';

export const action = z
  .enum(['Drain', 'Reboot', 'Delete', 'Hook'])
  .default('Drain')
  .describe(
    'What is done to the node. Drain: it is cordoned and emptied, no more. Reboot: then it is rebooted, verified and handed back. Delete: then the Node object is deleted. Hook: then the Job of hooks.before runs, and the node is verified and handed back.',
  );

const word = z.string().min(1).max(1024);

export const rebootSchema = withRules(
  z.strictObject({
    method: z
      .enum(['Command', 'Systemd', 'Signal'])
      .default('Command')
      .describe(
        'How a Linux node is told, by a pod that runs once. Command: a command in the namespaces of the host; the pod is privileged. Systemd: a call to logind over its D-Bus socket. Signal: a signal to process 1. A node with kubernetes.io/os=windows runs shutdown.exe in a HostProcess pod, whatever this says.',
      ),
    command: z
      .array(word)
      .min(1)
      .max(32)
      .exactOptional()
      .describe('With Command: what is run on the host; $(DROVER_NODE) stands for the node. Absent: systemctl reboot.'),
    signal: z
      .int32()
      .min(1)
      .max(64)
      .exactOptional()
      .describe('With Signal: its number. Absent: 39, which is SIGRTMIN+5 and makes systemd reboot.'),
    bootIdFile: z
      .string()
      .regex(/^\/[^\s]+$/, { error: 'must be an absolute path without blanks' })
      .max(1024)
      .exactOptional()
      .describe(
        'Where a Linux host has its boot id, if its kubelet runs with --boot-id-file; $(DROVER_NODE) stands for the node. Absent: /proc/sys/kernel/random/boot_id.',
      ),
    image: word
      .exactOptional()
      .describe(
        'Image of the pod. It needs sh, with Command also nsenter, with Systemd also dbus-send. Absent: busybox:1.37, which has no dbus-send.',
      ),
    windowsImage: word
      .exactOptional()
      .describe('Image of the HostProcess pod. Without it a Windows node is not taken out at all, and says why.'),
    namespace: namespaceName()
      .exactOptional()
      .describe('Where the pod is created; it must admit privileged pods. Absent: the namespace of the controller.'),
    timeout: duration('1s')
      .default('15m')
      .describe('How long it may take from the pod to a new boot id. Then the node stays cordoned, for a person to look at.'),
    delayBefore: duration().default('0s').describe('Wait between the drained node and its reboot.'),
    attempts: z
      .int32()
      .min(1)
      .max(5)
      .default(1)
      .describe(
        'How many pods are tried where one fails without a reboot. A node that was told and does not come back is never told again.',
      ),
  }),
  [
    {
      cel: "!has(self.command) || self.method == 'Command'",
      message: 'command belongs to method Command only',
      field: 'command',
      holds: (value) => value.command === undefined || value.method === 'Command',
    },
    {
      cel: "!has(self.signal) || self.method == 'Signal'",
      message: 'signal belongs to method Signal only',
      field: 'signal',
      holds: (value) => value.signal === undefined || value.method === 'Signal',
    },
    {
      cel: "self.method != 'Systemd' || has(self.image)",
      message: 'method Systemd needs an image that has dbus-send',
      field: 'image',
      holds: (value) => value.method !== 'Systemd' || value.image !== undefined,
    },
  ],
);

export const verifySchema = z.strictObject({
  readyTimeout: duration('1s')
    .default('10m')
    .describe('How long the node may take until all of this holds. Then it stays cordoned, for a person to look at.'),
  requiredConditions: z
    .array(
      z.strictObject({
        type: qualifiedName().describe('Type of the node condition.'),
        status: z.enum(['True', 'False', 'Unknown']).default('True').describe('The status that it must have.'),
      }),
    )
    .max(16)
    .default([])
    .describe('Node conditions that must hold beside Ready.'),
  daemonSetsUp: z.boolean().default(true).describe('Every pod of a DaemonSet on the node must be Ready.'),
  healthyFor: duration().default('30s').describe('How long all of it must have held, without a break.'),
});

export const hookSchema = z.strictObject({
  namespace: namespaceName().exactOptional().describe('Where the Job is created. Absent: the namespace of the controller.'),
  template: z
    .looseObject({})
    .meta({ 'x-kubernetes-preserve-unknown-fields': true })
    .describe(
      'The Job, as a CronJob’s jobTemplate: metadata (labels and annotations) and spec. Its containers get DROVER_NODE, DROVER_MAINTENANCE and DROVER_REASON in their environment.',
    ),
  onNode: z.boolean().default(false).describe('Its pods run on the node itself, cordoned as it is.'),
  timeout: duration('1s').default('10m').describe('How long the Job may take; then it counts as failed.'),
  onFailure: z
    .enum(['Stop', 'Continue'])
    .default('Stop')
    .describe('Stop: the node stays cordoned, for a person to look at. Continue: as if it had succeeded.'),
});

const hooks = z.strictObject({
  before: hookSchema.exactOptional().describe('Runs when the node is empty, before anything else is done to it.'),
  after: hookSchema.exactOptional().describe('Runs when the node is verified, before it is handed back.'),
});

/** The three blocks, beside `action`. */
export const actionFields = {
  reboot: rebootSchema.exactOptional().describe('How the node is rebooted. For action Reboot; absent: as the defaults say.'),
  verify: verifySchema
    .exactOptional()
    .describe('What must hold before the node is handed back. For actions Reboot and Hook; absent: as the defaults say.'),
  hooks: hooks.exactOptional().describe('Jobs that run before and after. For actions Reboot, Delete and Hook.'),
} as const;

interface WithAction {
  readonly action: 'Drain' | 'Reboot' | 'Delete' | 'Hook';
  readonly reboot?: unknown;
  readonly verify?: unknown;
  readonly hooks?: { readonly before?: unknown; readonly after?: unknown };
}

/** Which block belongs to which action: a key that nobody reads is a slip. */
export const actionRules: readonly Rule<WithAction>[] = [
  {
    cel: "!has(self.reboot) || self.action == 'Reboot'",
    message: 'reboot belongs to action Reboot only',
    field: 'reboot',
    holds: (spec) => spec.reboot === undefined || spec.action === 'Reboot',
  },
  {
    cel: "!has(self.verify) || self.action in ['Reboot', 'Hook']",
    message: 'verify belongs to actions Reboot and Hook only',
    field: 'verify',
    holds: (spec) => spec.verify === undefined || spec.action === 'Reboot' || spec.action === 'Hook',
  },
  {
    cel: "!has(self.hooks) || self.action != 'Drain'",
    message: 'hooks belong to actions Reboot, Delete and Hook only',
    field: 'hooks',
    holds: (spec) => spec.hooks === undefined || spec.action !== 'Drain',
  },
  {
    cel: "self.action != 'Hook' || (has(self.hooks) && has(self.hooks.before))",
    message: 'action Hook needs hooks.before, which is what it runs',
    field: 'hooks',
    holds: (spec) => spec.action !== 'Hook' || spec.hooks?.before !== undefined,
  },
  {
    cel: "self.action != 'Delete' || !has(self.hooks) || !has(self.hooks.after)",
    message: 'action Delete has no hooks.after: there is no node any more',
    field: 'hooks',
    holds: (spec) => spec.action !== 'Delete' || spec.hooks?.after === undefined,
  },
];
