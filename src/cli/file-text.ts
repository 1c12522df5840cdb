import { readFile } from 'node:fs/promises';
import { CommandError } from './errors.ts';

const reasons: Readonly<Record<string, string>> = { ENOENT: 'no such file', EISDIR: 'is a directory', EACCES: 'may not be read' };

/** @throws CommandError */
export async function fileText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    throw new CommandError(`${path}: ${reasons[code] ?? `cannot be read (${code || String(error)})`}`, { cause: error });
  }
}
