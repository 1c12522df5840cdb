import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { controllerConfig } from './controller-config.ts';
import { controllerCommand } from './controller/command.ts';
import { cli } from './testing/run-cli.ts';

let folder = '';
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'drover-config-'))));
afterAll(() => rmSync(folder, { recursive: true }));

function file(text: string): string {
  const path = join(folder, 'drover.yaml');
  writeFileSync(path, text);
  return path;
}

describe('drover controller', () => {
  it('starts with the defaults', async () => {
    expect((await cli(['controller'])).started).toEqual({
      leaderElect: true,
      metricsAddress: ':8080',
      limits: { perGroup: [] },
      logLevel: 'info',
      logFormat: 'json',
    });
  });

  it('takes the file, and flags over it', async () => {
    const config = file('logLevel: debug\nleaderElect: true\nleaderElectionNamespace: ops\n');
    const { started } = await cli(['controller', '--config', config, '--log-level', 'warn', '--no-leader-elect']);
    expect(started).toMatchObject({
      logLevel: 'warn',
      leaderElect: false,
      leaderElectionNamespace: 'ops',
      metricsAddress: ':8080',
    });
  });

  it('takes limits for all policies from the file, or as one flag', async () => {
    const limits = { maxNodes: 5, perGroup: [{ label: 'topology.kubernetes.io/zone', maxNodes: '10%' }] };
    const config = file('limits: { maxNodes: 5, perGroup: [{ label: topology.kubernetes.io/zone, maxNodes: 10% }] }\n');
    expect((await cli(['controller', '--config', config])).started).toMatchObject({ limits });
    expect((await cli(['controller', '--limits', '5, topology.kubernetes.io/zone=10%'])).started).toMatchObject({ limits });
    expect((await cli(['controller', '--limits', 'few'])).err).toContain(
      '--limits limits.maxNodes: must be a number of nodes like 2',
    );
    expect((await cli(['controller', '--limits', '1,2'])).err).toContain('more than one limit for the whole cluster');
    expect((await cli(['controller', '--config', file('limits: { maxNodes: -1 }\n')])).err).toContain('limits.maxNodes: ');
  });

  it('takes an empty file', async () => {
    expect((await cli(['controller', '--config', file('# nothing yet\n')])).started).toMatchObject({ logLevel: 'info' });
  });

  it.each([
    ['an unknown key', 'logLevle: debug\n', 'logLevle: is not a known setting'],
    ['a wrong value', 'logLevel: loud\n', 'logLevel: must be one of debug, info, warn, error'],
    ['a wrong address', 'metricsAddress: "8080"\n', 'metricsAddress: must be like ":8080"'],
    ['something else than a map', '- a\n', 'must be a map of settings'],
    ['broken YAML', 'a: [\n', 'is not YAML: '],
  ])('refuses %s with the path of the field', async (_, text, expected) => {
    const path = file(text);
    const { code, err, started } = await cli(['controller', '--config', path]);
    expect([code, started]).toEqual([1, null]);
    expect(err).toMatch(/^error: /);
    expect(err).toContain(path);
    expect(err).toContain(expected);
  });

  it('takes the channels of its file, or of a file of their own', async () => {
    const channel = '{type: Teams, teams: {webhook: {env: HOOK}}}';
    const config = file(`clusterName: prod\nnotify: [{name: ops, channel: ${channel}}]\n`);
    expect((await cli(['controller', '--config', config])).started).toMatchObject({
      clusterName: 'prod',
      notify: [{ name: 'ops', channel: { type: 'Teams' }, per: 'Node', retries: 10 }],
    });
    const list = file(`[{name: other, channel: ${channel}}]\n`);
    expect((await cli(['controller', '--notify', list])).started).toMatchObject({ notify: [{ name: 'other' }] });
  });

  it.each([
    ['notify: [{name: ops}]', 'notify[0].channel: is required'],
    [
      'notify: [{name: ops, channel: {type: Teams, teams: {webhook: {env: A, file: b}}}}]',
      'notify[0].channel.teams.webhook: give one of secretRef, env and file',
    ],
    [
      'notify: [{name: ops, channel: {type: Teams, teams: {webhook: {env: A}}}, color: red}]',
      'notify[0].color: is not a known field',
    ],
  ])('refuses %s', async (text, expected) => {
    const path = file(text);
    const { code, err } = await cli(['controller', '--config', path]);
    expect([code, err.split('\n')[0]]).toEqual([1, expect.stringContaining(`${path}: ${expected}`)]);
  });

  it('refuses a file that is not there', async () => {
    expect((await cli(['controller', '--config', join(folder, 'none.yaml')])).err).toMatch(/none\.yaml cannot be read: ENOENT/);
  });

  it('names every wrong field', async () => {
    const { err } = await cli(['controller', '--config', file('logLevel: loud\nlogFormat: xml\n')]);
    expect(
      err
        .trim()
        .split('\n')
        .filter((line) => line.startsWith('error: ')),
    ).toHaveLength(2);
  });

  it('has a flag for every key of the file', () => {
    const flags = Object.keys(controllerCommand.flags).filter((key) => key !== 'config');
    expect(flags.sort()).toEqual(Object.keys(controllerConfig.shape).sort());
  });
});
