import { describe, expect, it } from 'vitest';
import { annotations } from '../api/names.ts';
import { readSignals } from '../api/node-signal.ts';
import { KubeError } from '../kube/client.ts';
import { readCheckConfig } from './checks/plugin-config.ts';
import { type AgentBed, NODE, NOW, openAgentBed, preempt, reboot } from './testing/agent-bed.ts';

const SECOND = 1_000;
const signalsOf = (bed: AgentBed) => readSignals(bed.node().metadata.annotations?.[annotations.signals]).signals;
const writes = (bed: AgentBed) => bed.requests.filter((each) => each === `PATCH /api/v1/nodes/${NODE}/status`).length;
const told = (bed: AgentBed, type: string) => {
  const found = bed.condition(type);
  return found && [found.status, found.reason, found.message, found.lastTransitionTime];
};

describe('the agent', () => {
  it('says in one write that there is nothing, and then writes only to show that it lives', async () => {
    const bed = openAgentBed();
    const agent = bed.start();
    await bed.clock.advance(10 * SECOND);
    expect(['RebootRequired', 'SpotInterruption', 'MachineMaintenance', 'DroverAgent'].map((type) => told(bed, type))).toEqual([
      ['False', 'NoRebootRequired', 'every source has said that there is nothing', '2026-01-01T12:00:00Z'],
      ['False', 'NoNotice', 'every source has said that there is nothing', '2026-01-01T12:00:00Z'],
      ['False', 'NoneScheduled', 'every source has said that there is nothing', '2026-01-01T12:00:00Z'],
      ['True', 'EverySourceAnswers', '2 sources are read', '2026-01-01T12:00:00Z'],
    ]);
    expect(bed.node().metadata.annotations).not.toHaveProperty([annotations.signals]);
    expect(bed.requests).toEqual([`GET /api/v1/nodes/${NODE}`, `PATCH /api/v1/nodes/${NODE}/status`]);
    await bed.clock.advance(3_600 * SECOND);
    expect(writes(bed)).toBe(13);
    expect(told(bed, 'DroverAgent')?.[3]).toBe('2026-01-01T12:00:00Z');
    expect(bed.condition('DroverAgent').lastHeartbeatTime).toBe('2026-01-01T13:00:00Z');
    expect([agent.unwritten(), agent.lastLookAt()]).toEqual([null, NOW + 3_610 * SECOND]);
    await agent.stop();
    expect(bed.requests).toHaveLength(14);
  });

  it('tells what is new with the next reading, and what is over likewise', async () => {
    const bed = openAgentBed();
    const agent = bed.start();
    await bed.clock.advance(5_500);
    bed.sentinel.signals = [reboot];
    bed.cloud.signals = [preempt(3_600 * SECOND, { kind: 'Redeploy', id: 'r', message: 'Redeploy scheduled' })];
    await bed.clock.advance(1_000);
    expect(told(bed, 'RebootRequired')).toEqual(['True', 'RebootRequired', 'sentinel: it is there', '2026-01-01T12:00:06Z']);
    expect(told(bed, 'MachineMaintenance')).toEqual([
      'True',
      'Redeploy',
      'azure: Redeploy scheduled (gone at 2026-01-01T13:00:00Z)',
      '2026-01-01T12:00:06Z',
    ]);
    expect(signalsOf(bed).map(({ kind }) => kind)).toEqual(['Redeploy', 'RebootRequired']);
    bed.sentinel.signals = [];
    bed.cloud.signals = [];
    await bed.clock.advance(1_000);
    expect(told(bed, 'RebootRequired')?.[0]).toBe('False');
    expect(signalsOf(bed)).toEqual([]);
    await agent.stop();
  });

  it('keeps the last good state of a source that fails, and says which one does', async () => {
    const bed = openAgentBed();
    const agent = bed.start();
    bed.sentinel.signals = [reboot];
    await bed.clock.advance(5 * SECOND);
    bed.sentinel.failure = 'EIO';
    await bed.clock.advance(60 * SECOND);
    expect(told(bed, 'DroverAgent')?.slice(0, 3)).toEqual(['False', 'SourceFailing', 'sentinel-file: EIO']);
    expect(told(bed, 'RebootRequired')?.[0]).toBe('True');
    expect(bed.log.filter((line) => line.includes('EIO'))).toEqual([
      'source sentinel-file fails, its last good state is kept: EIO',
    ]);
    expect(bed.metrics()).toContain('drover_agent_source_up{source="sentinel-file"} 0');
    bed.sentinel.failure = null;
    await bed.clock.advance(60 * SECOND);
    expect(told(bed, 'DroverAgent')?.[0]).toBe('True');
    await agent.stop();
  });

  it('knows after a restart what it knew before, until the source has answered', async () => {
    const bed = openAgentBed();
    bed.sentinel.signals = [reboot];
    const first = bed.start();
    await bed.clock.advance(5 * SECOND);
    await first.stop();
    bed.sentinel.failure = 'not yet';
    const second = bed.start();
    await bed.clock.advance(60 * SECOND);
    expect(signalsOf(bed)).toEqual([reboot]);
    expect(told(bed, 'RebootRequired')).toEqual(['True', 'RebootRequired', 'sentinel: it is there', '2026-01-01T12:00:00Z']);
    bed.sentinel.failure = null;
    bed.sentinel.signals = [];
    await bed.clock.advance(60 * SECOND);
    expect(signalsOf(bed)).toEqual([]);
    await second.stop();
  });

  it('takes off conditions that no source has any more, and no others', async () => {
    const bed = openAgentBed();
    const config = {
      plugin: 'custom',
      source: 'm',
      conditions: [{ type: 'NTPProblem', reason: 'NTPIsUp', message: 'up' }],
      rules: [{ type: 'permanent', condition: 'NTPProblem', reason: 'NTPIsDown', path: 'ntp' }],
    };
    const run = () => Promise.resolve({ code: 1, stdout: 'down', stderr: '', why: '' });
    const first = bed.start({ checks: [readCheckConfig(JSON.stringify(config), 'ntp.json')], run });
    await bed.clock.advance(5 * SECOND);
    expect(told(bed, 'NTPProblem')?.slice(0, 3)).toEqual(['True', 'NTPIsDown', 'down']);
    expect(signalsOf(bed)).toMatchObject([{ kind: 'CustomCheck', id: 'NTPProblem', message: 'NTPIsDown: down' }]);
    await first.stop();
    const second = bed.start();
    await bed.clock.advance(5 * SECOND);
    expect(told(bed, 'NTPProblem')).toBeUndefined();
    expect(told(bed, 'Ready')?.[0]).toBe('True');
    expect(signalsOf(bed)).toEqual([]);
    await second.stop();
  });

  it('writes again what was refused, and is not ready meanwhile', async () => {
    const bed = openAgentBed();
    const agent = bed.start();
    bed.refuse = ({ method }) => (method === 'PATCH' ? new KubeError('the server is down', { code: 503 }) : undefined);
    await bed.clock.advance(30 * SECOND);
    expect(agent.unwritten()).toBe('the server is down');
    expect(bed.log.filter((line) => line.includes('is down'))).toHaveLength(1);
    bed.sentinel.signals = [reboot];
    bed.refuse = null;
    await bed.clock.advance(60 * SECOND);
    expect([agent.unwritten(), told(bed, 'RebootRequired')?.[0]]).toEqual([null, 'True']);
    await agent.stop();
  });

  it('waits for a node that is not there yet', async () => {
    const bed = openAgentBed();
    let there = false;
    bed.refuse = () => (there ? undefined : new KubeError('nodes "web-1" not found', { code: 404 }));
    const agent = bed.start();
    await bed.clock.advance(60 * SECOND);
    expect([agent.lastLookAt(), agent.unwritten()]).toEqual([null, 'node web-1 has not been read yet']);
    there = true;
    await bed.clock.advance(60 * SECOND);
    expect(agent.unwritten()).toBeNull();
    await agent.stop();
  });

  it('writes everything on a node that has joined anew under its name', async () => {
    const bed = openAgentBed();
    bed.sentinel.signals = [reboot];
    const agent = bed.start();
    await bed.clock.advance(5 * SECOND);
    const { metadata, spec } = bed.node();
    bed.ask('DELETE', `/api/v1/nodes/${NODE}`);
    bed.ask('POST', '/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: NODE, labels: metadata.labels }, spec });
    expect(bed.node().metadata.uid).not.toBe(metadata.uid);
    await bed.clock.advance(400 * SECOND);
    expect(told(bed, 'RebootRequired')?.[0]).toBe('True');
    expect(signalsOf(bed)).toEqual([reboot]);
    await agent.stop();
  });

  it('asks for the cloud again while its node has no providerID', async () => {
    const bed = openAgentBed();
    let known = false;
    const agent = bed.start({ cloudSources: () => (known ? { cloud: 'azure', sources: [bed.cloud] } : null) });
    await bed.clock.advance(60 * SECOND);
    expect(told(bed, 'SpotInterruption')).toBeUndefined();
    known = true;
    await bed.clock.advance(10 * SECOND);
    expect(told(bed, 'SpotInterruption')?.[0]).toBe('False');
    await agent.stop();
  });

  it('stops while it waits for its node', async () => {
    const bed = openAgentBed();
    bed.refuse = () => new KubeError('down', { code: 0 });
    const agent = bed.start();
    await bed.clock.advance(SECOND);
    await agent.stop();
    await expect(agent.ready).rejects.toThrow('stopped');
  });
});
