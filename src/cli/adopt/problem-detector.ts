import type { Adoption, Row } from './adoption.ts';
import { placeOf } from './adoption.ts';
import type { Workload } from './workload.ts';

const MONITOR = /^--?config\.(custom-plugin-monitor|system-log-monitor|system-stats-monitor)=(.*)$/;

/** Its custom plugins run in the agent as they are; what it reads from logs stays with it, and its conditions are reasons all the same. */
export function adoptProblemDetector({ title, container, files, ...rest }: Workload): Adoption {
  const words = [...(container.command ?? []).slice(1), ...(container.args ?? [])];
  const found = words.flatMap((word) => {
    const [, monitor = '', paths = ''] = MONITOR.exec(word) ?? [];
    return monitor ? [{ monitor, paths: paths.split(',').filter(Boolean) }] : [];
  });
  const checks = found.filter(({ monitor }) => monitor === 'custom-plugin-monitor').flatMap(({ paths }) => paths);
  const rows = found.map(
    ({ monitor, paths }): Row => ({
      setting: `config.${monitor}`,
      value: paths.join(', '),
      becomes: monitor === 'custom-plugin-monitor' ? 'agent.checks' : '',
      note:
        monitor === 'custom-plugin-monitor'
          ? 'the same files; mount them and their scripts into the agent'
          : 'stays with node-problem-detector; its conditions are reasons of type Condition',
    }),
  );
  const missing = checks.filter((path) => !files.has(path.split('/').at(-1) ?? ''));
  return {
    tool: 'node-problem-detector',
    title,
    policies: [],
    agent: checks.length > 0 ? { config: { checks }, ...placeOf({ title, container, files, ...rest }) } : null,
    rows,
    toDo: missing.map((path) => `${path} comes from the image or the host: mount it into the agent, with its scripts`),
  };
}
