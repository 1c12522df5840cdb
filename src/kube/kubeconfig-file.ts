/** One kubeconfig file: read, parsed, and able to name file, line and field of whatever is wrong. No value of it ever gets into a message. */
import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import { isMap, isSeq, LineCounter, parseDocument } from 'yaml';

/** Something in a kubeconfig, or around it, that the user has to mend. One line. */
export class AccessError extends Error {
  override readonly name = 'AccessError';
}

/** A mapping inside a file: `clusters[0].cluster`. */
export interface Section {
  readonly file: string;
  readonly field: string;
  readonly values: Readonly<Record<string, unknown>>;
  /** An error that names file, line and field; `key` is the one at fault, absent for the section itself. */
  wrong(key: string | undefined, problem: string): AccessError;
}

export interface KubeconfigFile {
  readonly path: string;
  readonly currentContext: string;
  readonly clusters: ReadonlyMap<string, Section>;
  readonly contexts: ReadonlyMap<string, Section>;
  readonly users: ReadonlyMap<string, Section>;
}

/** Undefined when the key is absent, null or empty. @throws AccessError when it is no text. */
export function textAt(section: Section, key: string): string | undefined {
  const value = section.values[key];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw section.wrong(key, 'must be text (put it in quotes)');
  return value;
}

export function flagAt(section: Section, key: string): boolean {
  const value = section.values[key] ?? false;
  if (typeof value !== 'boolean') throw section.wrong(key, 'must be true or false');
  return value;
}

export function textsAt(section: Section, key: string): string[] {
  const value = section.values[key] ?? [];
  if (!Array.isArray(value) || value.some((item) => typeof item !== 'string'))
    throw section.wrong(key, 'must be a list of texts');
  return value as string[];
}

/** A path of the file system; a relative one starts at the kubeconfig's folder. */
export function pathAt(section: Section, key: string): string | undefined {
  const path = textAt(section, key);
  return path === undefined || isAbsolute(path) ? path : resolve(dirname(section.file), path);
}

/** PEM text that stands in base64 in `<key>-data` (which wins) or in the file that `key` names. */
export function pemAt(section: Section, key: string): { readonly pem?: string; readonly file?: string } {
  const data = textAt(section, `${key}-data`);
  if (data !== undefined) {
    const pem = Buffer.from(data, 'base64').toString('latin1');
    if (!pem.includes('-----BEGIN ')) throw section.wrong(`${key}-data`, 'is not base64 of a PEM block');
    return { pem };
  }
  const file = pathAt(section, key);
  return file === undefined ? {} : { file };
}

/** @throws AccessError: not readable, not YAML, or not a kubeconfig. Undefined when the file does not exist. */
export function readKubeconfig(path: string): KubeconfigFile | undefined {
  let source: string;
  try {
    source = readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') return undefined;
    throw new AccessError(`${path}: cannot be read (${code}); check the path and its permissions`, { cause: error });
  }
  return parseKubeconfig(path, source);
}

export function parseKubeconfig(path: string, source: string): KubeconfigFile {
  const lines = new LineCounter();
  // prettyErrors would quote the lines around the error, and there are keys in them.
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false });
  const [problem] = document.errors;
  if (problem) {
    throw new AccessError(
      `${path}:${lines.linePos(problem.pos[0]).line}: not valid YAML (${problem.code.toLowerCase().replaceAll('_', ' ')})`,
    );
  }
  const lineOf = (at: readonly (string | number)[]): string => {
    const node = at.length === 0 ? document.contents : document.getIn(at, true);
    const offset = (node as { range?: readonly number[] } | null | undefined)?.range?.[0];
    // A missing field has no line: its parent's is the best there is.
    return offset !== undefined ? String(lines.linePos(offset).line) : at.length === 0 ? '1' : lineOf(at.slice(0, -1));
  };
  const nameOf = (at: readonly (string | number)[]) =>
    at.reduce<string>(
      (text, step) => (typeof step === 'number' ? `${text}[${step}]` : text === '' ? step : `${text}.${step}`),
      '',
    );
  const wrong = (at: readonly (string | number)[], what: string) => {
    const field = nameOf(at);
    return new AccessError(`${path}:${lineOf(at)}: ${field === '' ? '' : `${field}: `}${what}`);
  };
  const sectionAt = (at: readonly (string | number)[]): Section => {
    const node = at.length === 0 ? document.contents : document.getIn(at);
    if (node !== null && node !== undefined && !isMap(node)) throw wrong(at, 'must be a mapping (key: value)');
    const values = (node?.toJSON() ?? {}) as Record<string, unknown>;
    return { file: path, field: nameOf(at), values, wrong: (key, what) => wrong(key === undefined ? at : [...at, key], what) };
  };

  const root = sectionAt([]);
  if (document.contents !== null && root.values['kind'] !== undefined && root.values['kind'] !== 'Config') {
    throw root.wrong('kind', 'is not Config; is this a kubeconfig?');
  }
  const named = (list: string, inner: string): Map<string, Section> => {
    const node = document.getIn([list]);
    const found = new Map<string, Section>();
    if (node === undefined || node === null) return found;
    if (!isSeq(node)) throw wrong([list], 'must be a list');
    for (let index = 0; index < node.items.length; index++) {
      const name = textAt(sectionAt([list, index]), 'name');
      if (name === undefined) throw wrong([list, index, 'name'], 'is missing');
      // Of two entries with one name kubectl takes the first.
      if (!found.has(name)) found.set(name, sectionAt([list, index, inner]));
    }
    return found;
  };
  return {
    path,
    currentContext: textAt(root, 'current-context') ?? '',
    clusters: named('clusters', 'cluster'),
    contexts: named('contexts', 'context'),
    users: named('users', 'user'),
  };
}

/** A part of a section as a section of its own: `users[0].user.exec`. Undefined when absent. */
export function subsection(section: Section, key: string): Section | undefined {
  const value = section.values[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'object' || Array.isArray(value)) throw section.wrong(key, 'must be a mapping (key: value)');
  return {
    file: section.file,
    field: `${section.field}.${key}`,
    values: value as Record<string, unknown>,
    // Line of the part, name of the field.
    wrong: (inner, what) => section.wrong(key, inner === undefined ? what : `${inner} ${what}`),
  };
}
