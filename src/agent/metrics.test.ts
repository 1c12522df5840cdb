import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createRegistry } from '../lib/metrics.ts';
import { createAgentMetrics } from './metrics.ts';

function bench() {
  const registry = createRegistry();
  const usage = () => ({ residentBytes: 1, cpuSeconds: 2 });
  return { registry, metrics: createAgentMetrics({ registry, version: '1', startedAt: 0, usage }) };
}

describe("the agent's metrics", () => {
  it('are those of docs/agent.md', () => {
    const page = readFileSync(new URL('../../docs/agent.md', import.meta.url), 'utf8');
    const listed = [...page.matchAll(/^\| `([a-z_]+)`\s+\| (gauge|counter|histogram)\s+\| (.*?)\s+\| (.+?)\s+\|$/gm)].map(
      ([, name, type, labels, help]) => ({
        name,
        type,
        labelNames: [...(labels ?? '').matchAll(/`(\w+)`/g)].map((match) => match[1]),
        help,
      }),
    );
    const registered = bench()
      .registry.describe()
      .map(({ name, type, labelNames, help }) => ({ name, type, labelNames: [...labelNames], help }));
    expect(listed).toEqual(registered);
  });

  it('show what is known and what fails', () => {
    const { registry, metrics } = bench();
    metrics.readFrom({
      signals: () => [{ kind: 'Reboot', source: 'azure', id: 'a', since: '', revocable: true, message: '' }],
      health: () => [
        { name: 'azure', lastSuccess: 5_000, failure: null, degraded: false },
        { name: 'sentinel-file', lastSuccess: null, failure: 'EIO', degraded: true },
      ],
    });
    metrics.failed('sentinel-file');
    metrics.wrote(7_000);
    metrics.wrote(null);
    metrics.stepped('Cordoned');
    const lines = registry.metrics().split('\n');
    for (const line of [
      'drover_agent_source_up{source="azure"} 1',
      'drover_agent_source_up{source="sentinel-file"} 0',
      'drover_agent_source_last_success_timestamp_seconds{source="azure"} 5',
      'drover_agent_source_failures_total{source="sentinel-file"} 1',
      'drover_agent_signals{kind="Reboot"} 1',
      'drover_agent_node_writes_total{result="Done"} 1',
      'drover_agent_node_writes_total{result="Failed"} 1',
      'drover_agent_node_last_write_timestamp_seconds 7',
      'drover_agent_self_drain_steps_total{step="Cordoned"} 1',
      'drover_agent_self_drain_steps_total{step="Drained"} 0',
    ])
      expect(lines).toContain(line);
  });
});
