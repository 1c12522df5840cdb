/** A real Prometheus and a real Alertmanager beside a bed, as Debian packages them: they go when the bed goes. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts, healthy } from './control-programs.ts';
import { killProcessesOf, processesOf, signalAll, start, startAgain, waitReady } from './processes.ts';

export interface Monitoring {
  readonly prometheus: string;
  readonly alertmanager: string;
  /** From now on these alerts fire, and no others. Both programs know of it a second or two later. */
  fire(...names: string[]): void;
  /** @returns the id of the silence */
  silence(name: string): Promise<string>;
  stopPrometheus(): void;
  startPrometheus(): Promise<void>;
}

/** null: both are installed. */
export function monitoringMissing(): string | null {
  const missing = ['prometheus', 'prometheus-alertmanager'].filter((program) => spawnSync(program, ['--version']).error);
  return missing.length === 0
    ? null
    : `${missing.join(', ')} missing; apt-get install -y --no-install-recommends ${missing.join(' ')}`;
}

const waitForBoth = async (folder: string, urls: Readonly<Record<string, string>>) => {
  for (const [component, url] of Object.entries(urls))
    await waitReady(folder, component, 60_000, () => healthy(`${url}/-/ready`));
};

export async function startMonitoring(folder: string): Promise<Monitoring> {
  const [prometheusPort = 0, alertmanagerPort = 0] = await freePorts('127.0.0.1', 2);
  const prometheus = `http://127.0.0.1:${prometheusPort}`;
  const alertmanager = `http://127.0.0.1:${alertmanagerPort}`;
  const file = (name: string) => join(folder, name);
  const rules = (names: readonly string[]) =>
    writeFileSync(
      file('rules.json'), // JSON is YAML
      JSON.stringify({
        groups: [
          {
            name: 'bed',
            rules: [
              ...names.map((alert) => ({ alert, expr: 'vector(1)', labels: { severity: 'page' } })),
              { alert: 'NeverLongEnough', expr: 'vector(1)', for: '24h', labels: { severity: 'info' } },
            ],
          },
        ],
      }),
    );
  rules([]);
  writeFileSync(
    file('prometheus.json'),
    JSON.stringify({
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: [file('rules.json')],
      alerting: { alertmanagers: [{ static_configs: [{ targets: [`127.0.0.1:${alertmanagerPort}`] }] }] },
      scrape_configs: [{ job_name: 'prometheus', static_configs: [{ targets: [`127.0.0.1:${prometheusPort}`] }] }],
    }),
  );
  writeFileSync(file('alertmanager.json'), JSON.stringify({ route: { receiver: 'nobody' }, receivers: [{ name: 'nobody' }] }));
  start(folder, 'alertmanager', [
    'prometheus-alertmanager',
    `--config.file=${file('alertmanager.json')}`,
    `--storage.path=${file('alertmanager')}`,
    `--web.listen-address=127.0.0.1:${alertmanagerPort}`,
    '--cluster.listen-address=',
  ]);
  start(folder, 'prometheus', [
    'prometheus',
    `--config.file=${file('prometheus.json')}`,
    `--storage.tsdb.path=${file('tsdb')}`,
    `--web.listen-address=127.0.0.1:${prometheusPort}`,
    '--rules.alert.resend-delay=1s',
  ]);
  await waitForBoth(folder, { alertmanager, prometheus });
  return {
    prometheus,
    alertmanager,
    fire(...names) {
      rules(names);
      signalAll(processesOf(folder, 'prometheus'), 'SIGHUP');
    },
    async silence(name) {
      const now = Date.now();
      const body = {
        matchers: [{ name: 'alertname', value: name, isRegex: false, isEqual: true }],
        startsAt: new Date(now - 1_000).toISOString(),
        endsAt: new Date(now + 3_600_000).toISOString(),
        createdBy: 'bed',
        comment: 'known',
      };
      const answer = await fetch(`${alertmanager}/api/v2/silences`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      if (!answer.ok) throw new Error(`Alertmanager answered ${answer.status}: ${await answer.text()}`);
      return ((await answer.json()) as { silenceID: string }).silenceID;
    },
    stopPrometheus: () => killProcessesOf(folder, 'prometheus'),
    async startPrometheus() {
      startAgain(folder, 'prometheus');
      await waitForBoth(folder, { prometheus });
    },
  };
}
