/** `drover demo`, whole: the real controller on the simulated cluster, through the command line. */
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { cli } from '../../../src/cli/testing/run-cli.ts';
import { fakeTerminal } from '../../../src/cli/testing/fake-terminal.ts';
import type { DemoReport } from '../../../src/cli/demo/report.ts';
import { createWallClock } from '../../../src/lib/clock.ts';

const kubeconfigIn = (text: string): string => /KUBECONFIG=(\S+)/.exec(text)?.[1] ?? '';

async function once(...argv: string[]): Promise<DemoReport & { broken: string[]; code: number }> {
  const { code, out } = await cli(['demo', '--once', '-o', 'json', '--nodes', '12', ...argv]);
  return { ...(JSON.parse(out) as DemoReport & { broken: string[] }), code };
}

describe('drover demo', () => {
  it('replaces the old nodes without losing a request or violating a budget', async () => {
    const report = await once();
    expect(report).toMatchObject({ code: 0, broken: [], nodesToDrain: 6, nodesDone: 6, budgetViolations: 0 });
    expect(report.requests).toMatchObject({ failed: 0 });
    expect(report.requests.services).toHaveLength(5);
    expect(report.tookMs).toBeGreaterThan(report.lowerBound.ms);
    expect(report.podsMoved).toBeGreaterThan(20);
  });

  it('gives the nodes back when they are only worked on', async () => {
    expect(await once('--action', 'drain')).toMatchObject({ code: 0, broken: [], nodesDone: 6 });
  });

  it('tells the same for the same seed', async () => {
    expect(await once('--seed', '5')).toEqual(await once('--seed', '5'));
  });

  it('ends, and says which node never gets empty, when nothing may be handed over', async () => {
    const report = await once('--handover', 'never');
    expect(report.code).toBe(3);
    expect(report.stuck.join()).toMatch(/shop\/checkout-\S+: disruption budget shop\/checkout can never allow a disruption/);
    expect(report.budgetViolations).toBe(0);
  });

  it('prints plain lines without a terminal, and leaves nothing behind', async () => {
    const { code, out, err } = await cli(['demo', '--speed', 'max', '--nodes', '12']);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/^A simulated Kubernetes cluster of 12 nodes/);
    expect(out).toMatch(/old-1 is drained after /);
    expect(out).toMatch(/\nnodes {6}6 of 6 nodes replaced in /);
    expect(out).not.toContain('\u001b');
    expect(existsSync(kubeconfigIn(out))).toBe(false);
  });

  it('ends at Ctrl-C with 130, gives the cursor back, and leaves nothing behind', async () => {
    const stop = new AbortController();
    const stdout = fakeTerminal({ columns: 120, rows: 40 });
    const running = cli(['demo', '--nodes', '12'], undefined, {
      clock: createWallClock(),
      interrupts: () => stop.signal,
      stdout: {
        ...stdout,
        isTTY: true,
        columns: 120,
        rows: 40,
        write: (text) => {
          stdout.write(text);
          if (stdout.lines.join('').includes('pods Ready')) stop.abort();
        },
      },
    });
    expect(await running).toMatchObject({
      code: 130,
      err: 'interrupted; the simulated cluster is gone, and nothing of it is left\n',
    });
    expect(stdout.cursorHidden).toBe(false);
    expect(existsSync(kubeconfigIn(stdout.written))).toBe(false);
  });

  it('says in one line that its port is in use', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    const { code, out, err } = await cli(['demo', '--once', '--port', String(port)]);
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(new RegExp(`^error: [^\n]*127\\.0\\.0\\.1:${port} is in use[^\n]*\n$`));
    await new Promise((resolve) => other.close(resolve));
  });

  it.each([
    ['--nodes', '5'],
    ['--nodes', '500'],
    ['--speed', '0'],
    ['--action', 'reboot'],
    ['--handover', 'sometimes'],
    ['--port', '70000'],
    ['--keep', '--once'],
  ])('refuses %s %s', async (flag, value) => {
    const { code, out, err } = await cli(['demo', flag, value]);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/^error: [^\n]*\n(see: drover demo --help\n)?$/);
  });
});
