import type { Adoption } from './adoption.ts';

/** One agent does the work of all: where it runs is taken over only where the tools agree. null: none of them needs an agent. */
export function chartValues(adoptions: readonly Adoption[]): object | null {
  const agents = adoptions.flatMap(({ agent }) => (agent ? [agent] : []));
  if (agents.length === 0) return null;
  const config = Object.assign({}, ...agents.map((each) => each['config'])) as object;
  const places = agents.map((agent) => Object.entries(agent).filter(([key]) => key !== 'config'));
  const agreed = (places[0] ?? []).filter(([key, value]) =>
    agents.every((agent) => JSON.stringify(agent[key]) === JSON.stringify(value)),
  );
  return { agent: { enabled: true, config, ...Object.fromEntries(agreed) } };
}
