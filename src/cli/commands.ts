/** All commands, in the order of the help. A new one is its folder and a line here. */
import { adoptCommand } from './adopt/command.ts';
import { agentCommand } from './agent/command.ts';
import { approveCommand, cancelCommand, pauseCommand, resumeCommand, runNowCommand } from './hold/command.ts';
import { controllerCommand } from './controller/command.ts';
import { crdsCommand } from './crds/command.ts';
import { demoCommand } from './demo/command.ts';
import { drainCommand } from './drain/command.ts';
import { notifyTestCommand } from './notify/test/command.ts';
import { planCommand } from './plan/command.ts';
import { rebootCommand } from './reboot/command.ts';
import { snapshotCommand } from './snapshot/command.ts';
import { downCommand } from './sim/down/command.ts';
import { eventCommand } from './sim/event/command.ts';
import { kubeconfigCommand } from './sim/kubeconfig/command.ts';
import { loadCommand } from './sim/load/command.ts';
import { metadataCommand } from './sim/metadata/command.ts';
import { upCommand } from './sim/up/command.ts';
import { statusCommand } from './status/command.ts';
import { uncordonCommand } from './uncordon/command.ts';
import { whyCommand } from './why/command.ts';
import type { AnyCommand } from './command.ts';

export const commands: readonly AnyCommand[] = [
  planCommand,
  drainCommand,
  rebootCommand,
  uncordonCommand,
  statusCommand,
  whyCommand,
  pauseCommand,
  resumeCommand,
  cancelCommand,
  approveCommand,
  runNowCommand,
  demoCommand,
  upCommand,
  downCommand,
  loadCommand,
  kubeconfigCommand,
  metadataCommand,
  eventCommand,
  snapshotCommand,
  notifyTestCommand,
  adoptCommand,
  controllerCommand,
  agentCommand,
  crdsCommand,
];

/** The first word of commands of two. */
export const groups: Readonly<Record<string, { readonly summary: string; readonly description: string }>> = {
  notify: {
    summary: 'Who is told, and whether it gets there: test',
    description: 'What people are told is written in policies and in the configuration of the controller; docs/notifications.md.',
  },
  sim: {
    summary: 'A simulated cluster to try things on: up, down, load, kubeconfig, metadata, event',
    description:
      'A simulated Kubernetes cluster on this machine, for kubectl and drover alike. It needs no containers and no rights.',
  },
};
