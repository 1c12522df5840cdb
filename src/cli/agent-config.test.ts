import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agentConfig } from './agent-config.ts';
import { agentCommand } from './agent/command.ts';
import { cli } from './testing/run-cli.ts';

let folder = '';
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'drover-config-'))));
afterAll(() => rmSync(folder, { recursive: true }));

function file(text: string): string {
  const path = join(folder, 'agent.yaml');
  writeFileSync(path, text);
  return path;
}

const env = { NODE_NAME: 'worker-1' };

describe('drover agent', () => {
  it('starts with the defaults, on the node that its pod is on', async () => {
    expect((await cli(['agent'], undefined, { env })).startedAgent).toEqual({
      nodeName: 'worker-1',
      acknowledge: true,
      cloud: 'auto',
      metadataUrl: 'http://169.254.169.254',
      pollInterval: 1_000,
      sourceTimeout: 5_000,
      sentinelFile: '/var/run/reboot-required',
      sentinelCommand: [],
      sentinelInterval: 60_000,
      windowsRegistry: true,
      checks: [],
      checkHold: 30_000,
      selfDrain: 'Drain',
      selfDrainKinds: ['SpotInterruption', 'Terminate'],
      selfDrainWithin: 60_000,
      controllerPatience: 2_000,
      heartbeat: 300_000,
      metricsAddress: ':17923',
      logLevel: 'info',
      logFormat: 'json',
    });
  });

  it('takes the file, and flags over it', async () => {
    const config = file(
      'nodeName: a\nsentinelFile: ""\nsentinelCommand: [needs-restarting, -r]\nchecks: [a.json]\nselfDrainKinds: [Terminate]\npollInterval: 2s\n',
    );
    const flags = ['--node-name=b', '--checks=b.json,c.json', '--self-drain-delete-after=20s', '--no-windows-registry'];
    expect((await cli(['agent', '--config', config, ...flags], undefined, { env })).startedAgent).toMatchObject({
      nodeName: 'b',
      sentinelFile: '',
      sentinelCommand: ['needs-restarting', '-r'],
      checks: ['b.json', 'c.json'],
      selfDrainKinds: ['Terminate'],
      pollInterval: 2_000,
      selfDrainDeleteAfter: 20_000,
      windowsRegistry: false,
    });
  });

  it('takes a command as words and kinds with commas from flags', async () => {
    const flags = ['--sentinel-command=needs-restarting -r', '--self-drain-kinds=Reboot,Redeploy', '--check-hold=0s'];
    expect((await cli(['agent', ...flags], undefined, { env })).startedAgent).toMatchObject({
      sentinelCommand: ['needs-restarting', '-r'],
      selfDrainKinds: ['Reboot', 'Redeploy'],
      checkHold: 0,
    });
  });

  it.each([
    ['an unknown key', 'cluod: aws\n', 'cluod: is not a known setting; known are nodeName, cloud'],
    ['a wrong cloud', 'cloud: ibm\n', 'cloud: must be one of auto, azure, aws, gcp, none'],
    ['a number for a duration', 'pollInterval: 5\n', 'pollInterval: must be a text'],
    ['a wrong duration', 'pollInterval: soon\n', 'pollInterval: must be a duration like 30s'],
    ['too short a duration', 'pollInterval: 1ms\n', 'pollInterval: must be at least 200ms'],
    ['a wrong kind', 'selfDrainKinds: [Spot]\n', 'selfDrainKinds[0]: must be one of RebootRequired'],
    ['a list that is none', 'checks: 7\n', 'checks: must be a list'],
    ['a secure metadata service', 'metadataUrl: https://x\n', 'metadataUrl: must be an address like http://169.254.169.254'],
  ])('refuses %s with the path of the field', async (_, text, expected) => {
    const path = file(text);
    const { code, err, startedAgent } = await cli(['agent', '--config', path], undefined, { env });
    expect([code, startedAgent]).toEqual([1, null]);
    expect(err).toMatch(/^error: /);
    expect(err).toContain(`${path}: ${expected}`);
  });

  it('names the flag that is wrong', async () => {
    expect((await cli(['agent', '--heartbeat=1s'], undefined, { env })).err).toBe('error: --heartbeat must be at least 10s\n');
  });

  it('refuses to guess its node', async () => {
    const { code, err } = await cli(['agent']);
    expect([code, err]).toEqual([
      1,
      'error: the node is not known: set nodeName, --node-name, or the environment variable NODE_NAME\n',
    ]);
  });

  it('has a flag for every key of the file', () => {
    const flags = Object.keys(agentCommand.flags).filter((key) => key !== 'config');
    expect(flags.sort()).toEqual(Object.keys(agentConfig.shape).sort());
  });
});
