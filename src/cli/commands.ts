/** All commands, in the order of the help. A new one is its folder and a line here. */
import { cancelCommand, pauseCommand, resumeCommand } from './hold/command.ts';
import { controllerCommand } from './controller/command.ts';
import { crdsCommand } from './crds/command.ts';
import { drainCommand } from './drain/command.ts';
import { statusCommand } from './status/command.ts';
import { uncordonCommand } from './uncordon/command.ts';
import { whyCommand } from './why/command.ts';
import type { AnyCommand } from './command.ts';

export const commands: readonly AnyCommand[] = [
  drainCommand,
  uncordonCommand,
  statusCommand,
  whyCommand,
  pauseCommand,
  resumeCommand,
  cancelCommand,
  controllerCommand,
  crdsCommand,
];
