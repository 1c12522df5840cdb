/**
 * The rules of the house that no tool knows. Each test prints what breaks them, as "file -> file" for imports. oxlint holds the same
 * order while one types (.oxlintrc.json); this holds it for every folder, also those that are still to come.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/** Imports point only down this list. */
const order = [
  'main',
  'cli',
  'dashboard',
  'controller',
  'agent',
  'migration',
  'pools',
  'notify',
  'probe',
  'reasons',
  'engine',
  'sim',
  'kube',
  'api',
  'lib',
];
/** The simulated cluster is the judge: it may stand below, but never knows, what it judges. */
const neverFromSim = new Set(['engine', 'controller', 'reasons', 'migration']);
const kubeDoors = new Set(['request', 'reflector', 'evict', 'lease', 'kubeconfig', 'kinds', 'client', 'read', 'access', 'patch']);
/** The simulated cluster is the other end of the same wire: it has the client's errors and its reader of protobuf, too. */
const wireDoors = new Set([...kubeDoors, 'errors', 'proto-reader']);
const pure = new Set(['engine', 'api', 'reasons']);
const MAX_LINES = 400;

interface Source {
  /** "src/engine/drain.ts" */
  readonly path: string;
  readonly folder: string;
  readonly text: string;
  /** As written; those that begin with a dot already resolved to a path like `path`. */
  readonly imports: readonly string[];
}

const root = fileURLToPath(new URL('..', import.meta.url));

function filesUnder(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'));
}

const statements =
  /(?:^|\n)\s*(?:import|export)\b[^;'"]*?\bfrom\s*['"]([^'"]+)['"]|(?:^|\n)\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

function importsOf(path: string, text: string): string[] {
  return [...text.matchAll(statements)].map(([, from, bare, dynamic]) => {
    const target = from ?? bare ?? dynamic ?? '';
    return target.startsWith('.') ? join(dirname(path), target).split(sep).join('/') : target;
  });
}

function read(path: string): Source {
  const text = readFileSync(join(root, path), 'utf8');
  return { path, folder: path.split('/')[1] ?? '', text, imports: importsOf(path, text) };
}

const sources = filesUnder('src').map(read);
const product = sources.filter(({ path }) => !path.endsWith('.test.ts') && !path.includes('/testing/'));

const edges = (broken: (from: Source, to: string) => boolean): string[] =>
  product.flatMap((source) =>
    source.imports.filter((target) => broken(source, target)).map((target) => `${source.path} -> ${target}`),
  );

const folderOf = (target: string) => (target.startsWith('src/') ? (target.split('/')[1] ?? '') : '');

/** Code without comments and without what is between quotes, so that words in sentences are not taken for calls. */
function codeOf(text: string): string {
  return text
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/(?<!:)\/\/.*$/gm, '')
    .replaceAll(/'(?:[^'\\\n]|\\.)*'/g, "''");
}

describe('the house', () => {
  it('is walked: the imports of the files are found', () => {
    expect(sources.length).toBeGreaterThan(50);
    expect(
      importsOf('src/a/b.ts', "import { x } from '../c/d.ts';\nexport * from './e.ts';\nconst f = await import('node:fs');"),
    ).toEqual(['src/c/d.ts', 'src/a/e.ts', 'node:fs']);
  });

  it('has no folder under src that is not in the order', () => {
    expect(sources.filter(({ folder }) => !order.includes(folder)).map(({ path }) => path)).toEqual([]);
  });

  it('imports only downward', () => {
    expect(
      edges(({ folder }, target) => order.indexOf(folderOf(target)) < order.indexOf(folder) && folderOf(target) !== ''),
    ).toEqual([]);
  });

  it('keeps the simulated cluster from knowing what it judges', () => {
    expect(edges(({ folder }, target) => folder === 'sim' && neverFromSim.has(folderOf(target)))).toEqual([]);
  });

  it('enters src/kube only through its doors', () => {
    expect(
      edges(
        ({ folder }, target) =>
          folder !== 'kube' &&
          folderOf(target) === 'kube' &&
          !(folder === 'sim' ? wireDoors : kubeDoors).has(basename(target, '.ts')),
      ),
    ).toEqual([]);
  });

  it('imports nothing from outside src into the product but packages and Node', () => {
    expect(edges((_, target) => target.includes('/') && /^(test|scripts|bench|dist)\//.test(target))).toEqual([]);
  });

  it('keeps Node out of engine, api and reasons', () => {
    expect(edges(({ folder }, target) => pure.has(folder) && target.startsWith('node:'))).toEqual([]);
  });

  it('keeps clocks, chance, timers and the process out of engine, api and reasons', () => {
    const impure =
      /\bDate\.now\b|\bnew Date\(\s*\)|\bMath\.random\b|\bset(?:Timeout|Interval|Immediate)\b|\bprocess\.|\bperformance\./g;
    const found = product
      .filter(({ folder }) => pure.has(folder))
      .flatMap(({ path, text }) => [...codeOf(text).matchAll(impure)].map(([word]) => `${path}: ${word}`));
    expect(found).toEqual([]);
  });

  it('has no barrel files: none that only hands on what others export', () => {
    const barrels = product.filter(({ text }) => {
      const rest = codeOf(text).replaceAll(/\bexport\s+(?:type\s+)?(?:\*(?:\s+as\s+\w+)?|\{[^}]*\})\s*from\s*''\s*;?/g, '');
      return rest.trim() === '' && text.includes('export');
    });
    expect(barrels.map(({ path }) => path)).toEqual([]);
  });

  it('has no file or folder named utils, helpers or common', () => {
    expect(sources.map(({ path }) => path).filter((path) => /(?:^|\/)(?:utils?|helpers?|common)(?:\/|\.|$)/.test(path))).toEqual(
      [],
    );
  });

  it(`has no file over ${MAX_LINES} lines without a reason in its head`, () => {
    const all = [...sources, ...['scripts', 'test'].flatMap(filesUnder).map(read)];
    const long = all.filter(({ path, text }) => {
      const head = /^\s*\/\*\*[\s\S]*?\*\//.exec(text)?.[0] ?? '';
      return !path.includes('/golden/') && text.split('\n').length - 1 > MAX_LINES && !/\blong\b|\blines\b/i.test(head);
    });
    expect(long.map(({ path, text }) => `${path}: ${text.split('\n').length - 1}`)).toEqual([]);
  });
});
