/** From the command line to one run of a command, and from whatever that throws to one line and an exit code. */
import { Command as Parser, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { KubeError, type KubeClient } from '../kube/client.ts';
import { type AnyCommand, type Context, type GlobalValues, globalFlags } from './command.ts';
import { commands, groups } from './commands.ts';
import type { StartAgent } from './agent-config.ts';
import type { StartController } from './controller-config.ts';
import { CommandError, exitCode, UsageError } from './errors.ts';
import { type Flag, type Flags, longName } from './flags.ts';
import { normalizeArguments } from './kubectl-arguments.ts';
import { createScreen, type Terminal } from './screen.ts';
import type { Processes, StartSimulation } from './simulation.ts';
import { createTextLog } from './text-log.ts';

/** What only the entry point may construct. */
export interface Host {
  /** "drover" or "kubectl drover". */
  readonly program: string;
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: Terminal;
  readonly stderr: Terminal;
  readonly clock: Clock;
  readonly random: () => number;
  readonly identity: () => string;
  readonly connect: (flags: GlobalValues, log: Log) => Promise<KubeClient>;
  /** Starts listening for Ctrl-C and SIGTERM. The first aborts the signal, the second ends the process. */
  readonly interrupts: () => AbortSignal;
  readonly atExit: (callback: () => void) => () => void;
  readonly startController: StartController;
  readonly startAgent: StartAgent;
  readonly connectTo: (url: string, log: Log) => Promise<KubeClient>;
  readonly startSimulation: StartSimulation;
  readonly processes: Processes;
}

interface Chosen {
  readonly command: AnyCommand;
  readonly args: readonly string[];
  readonly values: Record<string, unknown>;
}

/** @param argv without the interpreter and the script. @returns the exit code. */
export async function runCli(argv: readonly string[], host: Host): Promise<number> {
  let chosen: Chosen | undefined;
  const parser = createParser(host, (next) => (chosen = next));
  try {
    parser.parse(normalizeArguments(argv, commands), { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.ok : exitCode.usage;
    throw error;
  }
  if (!chosen) return exitCode.ok; // help or the version
  return runCommand(chosen, valuesOf(globalFlags, parser.opts()) as GlobalValues, host);
}

async function runCommand({ command, args, values }: Chosen, globals: GlobalValues, host: Host): Promise<number> {
  const screen = createScreen({ ...host, color: globals.color });
  const log = createTextLog((line) => screen.err(line), globals.verbose ? 'debug' : 'warn');
  let client: Promise<KubeClient> | undefined;
  const context: Context = {
    program: host.program,
    screen,
    env: host.env,
    clock: host.clock,
    random: host.random,
    log,
    identity: host.identity(),
    verbose: globals.verbose,
    client: () => (client ??= host.connect(globals, log)),
    interrupt: host.interrupts(),
    connectTo: (url) => host.connectTo(url, log),
    startSimulation: host.startSimulation,
    processes: host.processes,
    startController: (config) =>
      host.startController(config, { cluster: globals, version: host.version, signal: context.interrupt }),
    startAgent: (config) => host.startAgent(config, { cluster: globals, version: host.version, signal: context.interrupt }),
  };
  try {
    return await command.invoke(context, args, values);
  } catch (error) {
    if (context.interrupt.aborted && !(error instanceof CommandError)) return exitCode.interrupted;
    screen.err(`error: ${error instanceof Error ? error.message : String(error)}`);
    const isExpected = error instanceof CommandError || error instanceof KubeError;
    if (error instanceof CommandError) for (const line of error.details) screen.err(line);
    if (error instanceof UsageError) screen.err(`see: ${host.program} ${command.name} --help`);
    if (error instanceof Error && (globals.verbose || host.env['DROVER_DEBUG'] === '1' || !isExpected))
      screen.err(error.stack ?? '');
    return error instanceof CommandError ? error.exitCode : exitCode.error;
  } finally {
    // A connection that failed has been reported above.
    client?.then((each) => each.close()).catch(() => {});
  }
}

/** The parser of the whole command line. `choose` is called by `parse` with what is to be run. */
export function createParser(
  host: Pick<Host, 'program' | 'version' | 'stdout' | 'stderr'>,
  choose: (chosen: Chosen) => void,
): Parser {
  const root = new Parser(host.program);
  root
    .description('Takes Kubernetes nodes out of service safely, without breaking a disruption budget.')
    .version(host.version, '--version', 'Print the version.')
    .helpOption('-h, --help', 'Print this help.')
    .helpCommand('help [command]', 'Print the help of a command')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true, subcommandTerm: (command) => command.name() })
    .configureOutput({
      writeOut: (text) => host.stdout.write(text),
      writeErr: (text) => host.stderr.write(text),
      getOutHelpWidth: () => host.stdout.columns || 100,
      getErrHelpWidth: () => host.stderr.columns || 100,
      outputError: (text, write) => write(`${text.trim().replaceAll(/\s*\n\s*/g, ' ')}\n`),
    });
  addFlags(root, globalFlags);
  const grouped = new Map<string, Parser>();
  for (const command of commands) {
    const parser = parserOf(command, host, root, choose);
    const [group, word] = command.name.split(' ');
    if (group === undefined || word === undefined) {
      root.addCommand(parser);
      continue;
    }
    let parent = grouped.get(group);
    if (!parent) {
      parent = groupParser(group, root);
      grouped.set(group, parent);
      root.addCommand(parent);
    }
    parent.addCommand(parser);
  }
  return root;
}

function groupParser(name: string, root: Parser): Parser {
  const { summary = '', description = '' } = groups[name] ?? {};
  return new Parser(name)
    .copyInheritedSettings(root)
    .summary(summary)
    .description(description)
    .helpOption('-h, --help', 'Print this help.')
    .helpCommand(false);
}

function parserOf(command: AnyCommand, host: Pick<Host, 'program'>, root: Parser, choose: (chosen: Chosen) => void): Parser {
  const parser = new Parser(command.name.split(' ').at(-1)).copyInheritedSettings(root);
  parser.summary(command.summary).description(command.description.join('\n\n')).helpOption('-h, --help', 'Print this help.');
  if (command.arguments === undefined) parser.usage('[options]');
  else parser.argument('[args...]').usage(`[options] ${command.arguments}`);
  // The usage says it all; a list of one nameless argument would not help.
  parser.configureHelp({ showGlobalOptions: true, visibleArguments: () => [] });
  addFlags(parser, command.flags);
  if (command.examples.length > 0) {
    parser.addHelpText(
      'after',
      `\nExamples:\n${command.examples.map(({ does, line }) => `  # ${does}\n  ${host.program} ${line}`).join('\n\n')}`,
    );
  }
  parser.action(() => choose({ command, args: parser.args, values: valuesOf(command.flags, parser.opts()) }));
  return parser;
}

function addFlags(parser: Parser, flags: Flags): void {
  for (const [key, flag] of Object.entries(flags)) for (const option of optionsOf(key, flag)) parser.addOption(option);
}

function optionsOf(key: string, flag: Flag<unknown>): Option[] {
  const name = longName(key);
  const short = flag.short === undefined ? '' : `-${flag.short}, `;
  const help = flag.shown === undefined ? flag.help : `${flag.help} (default ${flag.shown})`;
  if (flag.placeholder !== undefined)
    return [new Option(`${short}${name} <${flag.placeholder}>`, help).argParser(parserFor(flag))];
  const negative = name.replace('--', '--no-');
  if (flag.initial === true) return [new Option(name).hideHelp(), new Option(negative, help)];
  return [
    new Option(`${short}${name}`, help),
    flag.initial === null ? new Option(negative, `The opposite of ${name}.`) : new Option(negative).hideHelp(),
  ];
}

function parserFor(flag: Flag<unknown>): (value: string) => unknown {
  return (value) => {
    try {
      return flag.parse(value);
    } catch (error) {
      if (error instanceof UsageError) throw new InvalidArgumentError(`It ${error.message}.`);
      throw error;
    }
  };
}

function valuesOf(flags: Flags, given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(flags).map(([key, flag]) => [key, given[key] ?? flag.initial]));
}
