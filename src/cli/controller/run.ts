/** `drover controller`: reads the settings and hands over to the process that src/main wires. */
import { readFile } from 'node:fs/promises';
import { parse, YAMLParseError } from 'yaml';
import type { Context } from '../command.ts';
import { type ControllerConfigInput, readControllerConfig } from '../controller-config.ts';
import { CommandError, UsageError } from '../errors.ts';
import type { ControllerFlags } from './command.ts';

export async function run(
  context: Context,
  _args: readonly string[],
  { config: file, ...flags }: ControllerFlags,
): Promise<number> {
  const given = Object.fromEntries(
    Object.entries({ ...flags, limits: flags.limits === null ? null : readLimits(flags.limits) }).filter(
      ([, value]) => value !== null,
    ),
  ) as ControllerConfigInput;
  const written = file === null ? {} : await readYaml(file);
  return context.startController(readControllerConfig(written, given, file ?? 'flags'));
}

/** "5,topology.kubernetes.io/zone=2" */
function readLimits(text: string): NonNullable<ControllerConfigInput['limits']> {
  const number = (value: string) => (/^\d+$/.test(value) ? Number(value) : value);
  const terms = text.split(',').map((term) => term.trim());
  const own = terms.filter((term) => !term.includes('='));
  if (own.length > 1) throw new UsageError(`--limits: "${text}" has more than one limit for the whole cluster`);
  const perGroup = terms
    .filter((term) => term.includes('='))
    .map((term) => {
      const at = term.lastIndexOf('=');
      return { label: term.slice(0, at), maxNodes: number(term.slice(at + 1)) };
    });
  return { ...(own[0] !== undefined && { maxNodes: number(own[0]) }), perGroup };
}

async function readYaml(file: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new CommandError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  try {
    return parse(text) ?? {};
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error;
    throw new CommandError(`${file} is not YAML: ${error.message.split('\n')[0] ?? ''}`, { cause: error });
  }
}
