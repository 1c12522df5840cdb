/**
 * What becomes of each setting of a tool: the table behind `drover adopt` and behind the pages docs/coming-from-*.md. Where a setting goes:
 * a field of a MaintenancePolicy (spec.…), a key of the agent's configuration (agent.…), of the Helm chart (values.…), or nowhere.
 */
export interface Fate {
  /** As the tool documents it; "" where it has none. */
  readonly initial: string;
  /** Empty: it has no equivalent. */
  readonly becomes: readonly string[];
  readonly note: string;
}

export type FlagTable = Readonly<Record<string, Fate>>;

const fate = (initial: string, becomes: string | readonly string[], note: string): Fate => ({
  initial,
  becomes: typeof becomes === 'string' ? [becomes] : becomes,
  note,
});

/** There is an equivalent. */
export const goesTo = (initial: string, becomes: string | readonly string[], note = ''): Fate => fate(initial, becomes, note);

/** There is none, and this is why. */
export const hasNone = (initial: string, why: string): Fate => fate(initial, [], why);
