import { describe, expect, it } from 'vitest';
import { KubeError } from '../kube/client.ts';
import { createParser } from './program.ts';
import { commands } from './commands.ts';
import { normalizeArguments } from './kubectl-arguments.ts';
import { cli } from './testing/run-cli.ts';
import { fakeTerminal } from './testing/fake-terminal.ts';

const golden = (name: string) => `../../test/golden/cli/${name}.txt`;

describe('help', () => {
  it('of the whole program names every command', async () => {
    const { code, out } = await cli(['--help']);
    expect(code).toBe(0);
    await expect(out).toMatchFileSnapshot(golden('help'));
  });

  it.each(commands.map(({ name }) => name))('of %s is as on file', async (name) => {
    const { code, out } = await cli([...name.split(' '), '--help']);
    expect(code).toBe(0);
    await expect(out).toMatchFileSnapshot(golden(`help-${name.replace(' ', '-')}`));
  });

  it('of a group names its commands, and is what a group alone prints as an error', async () => {
    const { code, out } = await cli(['sim', '--help']);
    expect(code).toBe(0);
    await expect(out).toMatchFileSnapshot(golden('help-sim'));
    expect(await cli(['sim'])).toMatchObject({ code: 2, out: '', err: out });
  });

  it('shows the name that the program was called by', async () => {
    const { out } = await cli(['uncordon', '--help'], undefined, { program: 'kubectl drover' });
    expect(out).toMatch(/^Usage: kubectl drover uncordon \[options\] NODE\.\.\./);
    expect(out).toContain('  kubectl drover uncordon worker-1');
  });
});

describe('errors', () => {
  it.each([
    ['an unknown command', ['drian'], "error: unknown command 'drian' (Did you mean drain?)\n"],
    ['an unknown flag', ['drain', '--forse', 'a'], "error: unknown option '--forse' (Did you mean --force?)\n"],
    ['a flag without its value', ['drain', 'a', '--timeout'], "error: option '--timeout <duration>' argument missing\n"],
    [
      'a value that cannot be read',
      ['drain', 'a', '--timeout', 'soon'],
      "error: option '--timeout <duration>' argument 'soon' is invalid. It must be a duration like 30s, 10m or 1h30m, not \"soon\".\n",
    ],
    ['an unknown command of a group', ['sim', 'upp'], "error: unknown command 'upp' (Did you mean up?)\n"],
    ['a word too many', ['crds', 'x'], "error: too many arguments for 'crds'. Expected 0 arguments but got 1.\n"],
    ['no node', ['drain'], 'error: no node is named; give one or more names, or a --selector\nsee: drover drain --help\n'],
    [
      'nodes and a selector',
      ['uncordon', 'a', '-l', 'b=c'],
      'error: name the nodes or give a --selector, not both\nsee: drover uncordon --help\n',
    ],
    ['two nodes where one is asked for', ['why', 'a', 'b'], 'error: name one node\nsee: drover why --help\n'],
  ])('%s is one line and exit code 2', async (_, argv, expected) => {
    const { code, err, out } = await cli(argv);
    expect([code, err, out]).toEqual([2, expected, '']);
  });

  const failing = (error: Error) => ({ connect: () => Promise.reject(error) });

  it('of the API server is its one line and exit code 1', async () => {
    const { code, err } = await cli(['status'], undefined, failing(new KubeError('https://a:6443 refuses', { code: 403 })));
    expect([code, err]).toEqual([1, 'error: https://a:6443 refuses\n']);
  });

  it('shows its stack with -v', async () => {
    const { err } = await cli(['status', '-v'], undefined, failing(new KubeError('no', { code: 403 })));
    expect(err).toMatch(/^error: no\nKubeError: no\n {4}at /);
  });

  it('shows its stack with DROVER_DEBUG=1', async () => {
    const { err } = await cli(['status'], undefined, {
      ...failing(new KubeError('no', { code: 403 })),
      env: { DROVER_DEBUG: '1' },
    });
    expect(err).toContain('\n    at ');
  });

  it('that nobody has foreseen always shows its stack', async () => {
    const { code, err } = await cli(['status'], undefined, failing(new TypeError('x is not a function')));
    expect(code).toBe(1);
    expect(err).toContain('\n    at ');
  });

  it('after Ctrl-C is exit code 130', async () => {
    const { code, err } = await cli(['status'], undefined, {
      ...failing(new Error('aborted')),
      interrupts: () => AbortSignal.abort(),
    });
    expect([code, err]).toEqual([130, '']);
  });
});

/** What is run, with the values of the flags that differ from their defaults. */
function parse(line: string): { args: readonly string[]; flags: Record<string, unknown>; global: Record<string, unknown> } {
  const terminal = fakeTerminal();
  let args: readonly string[] = [];
  let flags: Record<string, unknown> = {};
  const parser = createParser({ program: 'drover', version: '1', stdout: terminal, stderr: terminal }, (chosen) => {
    ({ args } = chosen);
    flags = Object.fromEntries(
      Object.entries(chosen.values).filter(([key, value]) => value !== chosen.command.flags[key]?.initial),
    );
  });
  parser.parse(normalizeArguments(line.split(' '), commands), { from: 'user' });
  return { args, flags, global: parser.opts() };
}

describe('the command line of drain', () => {
  it.each([
    ['drain a', [], {}],
    ['drain a b', ['b'], {}],
    ['drain a --force', [], { force: true }],
    ['drain --force a', [], { force: true }],
    ['drain a --force=true', [], { force: true }],
    ['drain a --force=false', [], {}],
    ['drain a --force --force=false', [], {}],
    ['drain a --force=T', [], { force: true }],
    ['drain a --ignore-daemonsets --delete-emptydir-data', [], { ignoreDaemonsets: true, deleteEmptydirData: true }],
    ['drain a --grace-period=30', [], { gracePeriod: 30 }],
    ['drain a --grace-period -1', [], {}],
    ['drain a --grace-period 0', [], { gracePeriod: 0 }],
    ['drain a --timeout=5m', [], { timeout: 300_000 }],
    ['drain a --timeout=0s', [], {}],
    ['drain a --timeout 0', [], {}],
    ['drain a --timeout=1h30m', [], { timeout: 5_400_000 }],
    ['drain a --disable-eviction', [], { disableEviction: true }],
    ['drain a --skip-wait-for-delete-timeout=20', [], { skipWaitForDeleteTimeout: 20 }],
    ['drain a --chunk-size=0', [], { chunkSize: 0 }],
    ['drain a --pod-selector=app=web', [], { podSelector: 'app=web' }],
    ['drain a --dry-run=server', [], { dryRun: 'server' }],
    ['drain a --dry-run=none', [], {}],
    ['drain --dry-run a', [], { dryRun: 'client' }],
    ['drain a -o yaml', [], { output: 'yaml' }],
    ['drain a -ojson', [], { output: 'json' }],
    ['drain a -o=json', [], { output: 'json' }],
    ['drain a --parallel 3', [], { parallel: 3 }],
    ['drain a --handover Always', [], { handover: 'always' }],
    ['drain a --handover=WhenNeeded', [], {}],
    ['drain a --no-unlist', [], { unlist: false }],
    ['drain a --unlist=false', [], { unlist: false }],
    ['drain a --settle', [], { settle: true }],
    ['drain a --no-settle', [], { settle: false }],
  ])('%s', (line, more, flags) => {
    expect(parse(line)).toMatchObject({ args: ['a', ...more], flags });
    expect(Object.keys(parse(line).flags)).toEqual(Object.keys(flags));
  });

  it.each(['-l a=b', '-la=b', '-l=a=b', '--selector a=b', '--selector=a=b'])('takes the selector written as %s', (written) => {
    expect(parse(`drain ${written}`)).toMatchObject({ args: [], flags: { selector: 'a=b' } });
  });

  it.each([
    ['drain a --context x', { context: 'x' }],
    ['--context=x drain a', { context: 'x' }],
    ['drain a -s http://b', { server: 'http://b' }],
    ['drain a --request-timeout=10', { requestTimeout: 10_000 }],
    ['drain a --request-timeout 1m', { requestTimeout: 60_000 }],
    ['drain a --no-color', { color: false }],
    ['drain a -v', { verbose: true }],
    ['drain a -v=6', { verbose: true }],
    ['drain a -v 6', { verbose: true }],
    ['drain a --v=6', { verbose: true }],
  ])('takes global flags anywhere: %s', (line, global) => {
    expect(parse(line)).toMatchObject({ args: ['a'], flags: {}, global });
  });

  it('takes -v=0 as no debug logs', () => {
    expect(parse('drain a -v=0').global['verbose']).toBeUndefined();
  });

  it('leaves everything after -- alone', () => {
    expect(normalizeArguments(['drain', '--', '--force=true'], commands)).toEqual(['drain', '--', '--force=true']);
  });
});
