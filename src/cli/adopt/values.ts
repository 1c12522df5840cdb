import type { Adoption } from './adoption.ts';

/** Where the chart mounts the host's /run, which is also its /var/run. */
const HOST_RUN = '/host/run/';

const textOf = (value: unknown) => (typeof value === 'string' ? value : '');

/**
 * One agent does the work of all: where it runs is taken over only where the tools agree. null: none of them needs an agent. The keys
 * are those of charts/drover/values.yaml, which has a port in place of an address, and mounts /run only when told to.
 */
export function chartValues(adoptions: readonly Adoption[]): object | null {
  const agents = adoptions.flatMap(({ agent }) => (agent ? [agent] : []));
  if (agents.length === 0) return null;
  const { metricsAddress, sentinelFile, ...config } = Object.assign({}, ...agents.map((each) => each['config'])) as Record<
    string,
    unknown
  >;
  const [, port] = /:(\d+)$/.exec(textOf(metricsAddress)) ?? [];
  const [, inRun] = /^(?:\/var)?\/run\/(.+)$/.exec(textOf(sentinelFile)) ?? [];
  const places = agents.map((agent) => Object.entries(agent).filter(([key]) => key !== 'config'));
  const agreed = (places[0] ?? []).filter(([key, value]) =>
    agents.every((agent) => JSON.stringify(agent[key]) === JSON.stringify(value)),
  );
  return {
    agent: {
      enabled: true,
      config: { ...config, ...(sentinelFile !== undefined && inRun === undefined && { sentinelFile }) },
      ...(port !== undefined && { metricsPort: Number(port) }),
      ...(inRun !== undefined && { linux: { hostRun: true, config: { sentinelFile: `${HOST_RUN}${inRun}` } } }),
      ...Object.fromEntries(agreed),
    },
  };
}
