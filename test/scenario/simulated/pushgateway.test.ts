/** A real Pushgateway (Debian's prometheus-pushgateway) takes what the built command sends, and serves it. In CI it must be there. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDrover } from '../drover.ts';

const program = ['prometheus-pushgateway', 'pushgateway'].find((name) => !spawnSync(name, ['--version']).error);

describe.skipIf(program === undefined && !process.env['CI'])('a Pushgateway', () => {
  let url = '';
  let folder = '';
  let end = () => {};

  beforeAll(async () => {
    if (program === undefined)
      throw new Error('prometheus-pushgateway is missing; install it with: apt-get install prometheus-pushgateway');
    folder = mkdtempSync(join(tmpdir(), 'drover-pushgateway-'));
    const child = spawn(program, ['--web.listen-address=127.0.0.1:0'], { stdio: ['ignore', 'ignore', 'pipe'] });
    end = () => void child.kill();
    let log = '';
    url = await new Promise((resolve, reject) => {
      child.on('exit', () => reject(new Error(`it has ended: ${log}`)));
      child.stderr.on('data', (chunk: Buffer) => {
        log += chunk.toString();
        const address = /msg="Listening on" address=(\S+)/.exec(log)?.[1];
        if (address !== undefined) resolve(`http://${address}`);
      });
    });
  });
  afterAll(() => {
    end();
    if (folder !== '') rmSync(folder, { recursive: true });
  });

  async function send(channel: object) {
    const config = join(folder, 'drover.json'); // JSON is YAML
    writeFileSync(config, JSON.stringify({ notify: [{ name: 'metrics', channel }] }));
    const result = await startDrover(['notify', 'test', '--config', config]).finished;
    return { ...result, metrics: await (await fetch(`${url}/metrics`)).text() };
  }

  it('has the phase of the node, by the channel of its own', async () => {
    const { code, stdout, metrics } = await send({ type: 'Pushgateway', pushgateway: { url, job: 'a/b' } });
    expect([code, stdout]).toEqual([0, 'CHANNEL   TYPE          ANSWER\nmetrics   Pushgateway   delivered\n']);
    expect(metrics).toMatch(
      /^drover_node_phase\{instance="",job="a\/b",node="drover-test",policy="drover-test",reason="drover notify test by cli:[^"]+",topic="Test"\} 1$/m,
    );
    expect(metrics).toMatch(/^drover_node_phase_timestamp_seconds\{instance="",job="a\/b",node="drover-test"\} 1\.\d+e\+09$/m);
  });

  it('has what a template of aks-node-termination-handler says, through a webhook', async () => {
    const body =
      'node_scheduled_event{node="{{ .NodeName }}",type="{{ .Event.EventType }}",why="a \\"quote\\" and {{ .NodeLabels }}"} 1';
    const webhook = { url: `${url}/metrics/job/termination`, contentType: 'text/plain; version=0.0.4', body };
    const { code, metrics } = await send({ type: 'Webhook', webhook });
    expect(code).toBe(0);
    expect(metrics).toContain(
      'node_scheduled_event{instance="",job="termination",node="drover-test",type="Manual",why="a \\"quote\\" and map[',
    );
  });

  it('refuses what is no metric, which the command says', async () => {
    const { code, stdout } = await send({ type: 'Pushgateway', pushgateway: { url, body: 'not a metric {{ .NodeName }}' } });
    expect(code).toBe(1);
    expect(stdout).toMatch(/metrics +Pushgateway +the service answered 400: text format parsing error/);
  });
});
