/** Settings of a process from its file and its flags together. Every key of the file is also a flag, and the flag wins. */
import { readFile } from 'node:fs/promises';
import { parse, YAMLParseError } from 'yaml';
import * as z from 'zod';
import { parseFields } from '../api/validate.ts';
import { CommandError } from './errors.ts';
import { longName } from './flags.ts';

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export const logFormats = ['json', 'text'] as const;

/** "HOST:PORT" or ":PORT" to serve on, or "0". */
export const serveAddress = z
  .string()
  .regex(/^(0|(\[[0-9a-fA-F:]+\]|[^:\s[\]]*):\d{1,5})$/, 'must be like ":8080" or "127.0.0.1:8080"; "0" serves nothing');

/** @param source what the values come from, for messages: the file. @throws CommandError naming every wrong field. */
export function readConfig<S extends z.ZodObject>(schema: S, written: unknown, flags: object, source: string): z.output<S> {
  if (written != null && (typeof written !== 'object' || Array.isArray(written))) {
    throw new CommandError(`${source}: must be a map of settings, like "logLevel: debug"`);
  }
  const parsed = parseFields(schema, { ...(written as object | null), ...flags });
  if (parsed.ok) return parsed.value;
  const lines = parsed.errors.map(({ path, message }) => {
    const [key = ''] = path.split(/[.[]/);
    if (!Object.hasOwn(schema.shape, key))
      return `${source}: ${path}: is not a known setting; known are ${Object.keys(schema.shape).join(', ')}`;
    return Object.hasOwn(flags, key)
      ? `${longName(key)}${path === key ? '' : ` ${path}:`} ${message}`
      : `${source}: ${path}: ${message}`;
  });
  const [first = '', ...rest] = lines;
  throw new CommandError(first, { details: rest.map((line) => `error: ${line}`) });
}

/** What a YAML file holds; {} when it is empty. @throws CommandError when it cannot be read or is not YAML. */
export async function readYaml(file: string): Promise<unknown> {
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
