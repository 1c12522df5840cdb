/** Writes what the agent knows on its node: at once when it has changed, and else only so often that people see that it lives. */
import { type KubeClient, KubeError } from '../kube/client.ts';
import { fullJitter, type Random } from '../lib/backoff.ts';
import type { Clock, Millis } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { type NodeStatement, type OwnNode, readOwnNode, statementPatch, writeStatement } from './own-node.ts';

export interface ReporterOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Random;
  readonly nodeName: string;
  /** As it was read at the start. */
  readonly own: OwnNode;
  readonly heartbeatMs: Millis;
  /** The time of a write that was answered well; null: it failed. */
  readonly onWrite: (at: Millis | null) => void;
}

export interface Reporter {
  /** The newest state; what is the same as before costs nothing. */
  tell(statement: NodeStatement): void;
  /** null: all that was told is written. Else what is in the way, one line. */
  failure(): string | null;
  /** When the node last said what was told; null before the first time. */
  writtenAt(): Millis | null;
  /** Waits for what is being written, and writes nothing more. */
  stop(): Promise<void>;
}

const RETRY_MS = { least: 1_000, most: 30_000 };

export function createReporter(options: ReporterOptions): Reporter {
  const { client, clock, log, random, nodeName, heartbeatMs, onWrite } = options;
  let { uid, owned } = options.own;
  const since = new Map([...options.own.conditions].map(([type, { status, since }]) => [type, { status, since }]));
  let wanted: NodeStatement | null = null;
  let written: { readonly text: string; readonly at: Millis } | null = null;
  let writing: Promise<void> | null = null;
  let failure: string | null = null;
  let failures = 0;
  let stopped = false;
  let cancelTimer = () => {};

  // The clock starts for each node at another time: a thousand agents of one rollout must not write in one second for ever.
  const nextBeat = () => heartbeatMs * (0.9 + 0.2 * random());

  const later = (delayMs: Millis) => {
    cancelTimer();
    if (!stopped) cancelTimer = clock.after(delayMs, begin);
  };

  function begin(): void {
    if (writing || stopped || !wanted) return;
    cancelTimer();
    const statement = wanted;
    writing = write(statement).finally(() => {
      writing = null;
      if (failure !== null) later(RETRY_MS.least + fullJitter(failures, random, RETRY_MS.least, RETRY_MS.most));
      else if (wanted && textOf(wanted) !== written?.text) begin();
      else later(nextBeat());
    });
  }

  async function write(statement: NodeStatement): Promise<void> {
    const now = clock.now();
    for (const { type, status } of statement.conditions)
      if (since.get(type)?.status !== status) since.set(type, { status, since: now });
    try {
      await writeStatement(
        client,
        nodeName,
        statementPatch(uid, statement, owned, (type) => since.get(type)?.since ?? now, now),
      );
      owned = statement.conditions.map(({ type }) => type);
      written = { text: textOf(statement), at: now };
      if (failure !== null) log.info('the node is written again', { node: nodeName });
      failure = null;
      failures = 0;
      onWrite(now);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (failure !== message) log.warn(`cannot write node ${nodeName}: ${message}`);
      failure = message;
      failures += 1;
      onWrite(null);
      // The machine has joined anew under its old name (a uid that is another one is "field is immutable", 422): it is told to the new node.
      if (error instanceof KubeError && [404, 409, 422].includes(error.code)) await readAgain();
    }
  }

  async function readAgain(): Promise<void> {
    try {
      ({ uid, owned } = await readOwnNode(client, nodeName));
    } catch (error) {
      log.debug(`cannot read node ${nodeName}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  return {
    tell(statement) {
      wanted = statement;
      if (textOf(statement) === written?.text || failure !== null) return;
      begin();
    },
    failure: () => failure,
    writtenAt: () => written?.at ?? null,
    async stop() {
      stopped = true;
      cancelTimer();
      await writing;
    },
  };
}

function textOf(statement: NodeStatement): string {
  return JSON.stringify(statement);
}
