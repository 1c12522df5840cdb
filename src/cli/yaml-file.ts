import { readFile } from 'node:fs/promises';
import { parse, YAMLParseError } from 'yaml';
import { CommandError } from './errors.ts';

/** What is in it; an empty one is an empty map. @throws CommandError */
export async function yamlFile(file: string): Promise<unknown> {
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
