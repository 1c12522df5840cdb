/** `drover controller`: reads the settings and hands over to the process that src/main wires. */
import { readFile } from 'node:fs/promises';
import { parse, YAMLParseError } from 'yaml';
import type { Context } from '../command.ts';
import { type ControllerConfigInput, readControllerConfig } from '../controller-config.ts';
import { CommandError } from '../errors.ts';
import type { ControllerFlags } from './command.ts';

export async function run(
  context: Context,
  _args: readonly string[],
  { config: file, ...flags }: ControllerFlags,
): Promise<number> {
  const given = Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== null)) as ControllerConfigInput;
  const written = file === null ? {} : await readYaml(file);
  return context.startController(readControllerConfig(written, given, file ?? 'flags'));
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
