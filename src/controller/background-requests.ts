/** Requests that nobody waits for, except at the end. */
import { KubeError } from '../kube/client.ts';
import type { Log } from '../lib/log.ts';

export interface BackgroundRequests {
  /** True when it was done, false when it was refused: a refusal is logged as "cannot `what`". What follows the promise is waited for, too. */
  send(what: string, request: () => Promise<unknown>): Promise<boolean>;
  /** Resolves when those under way are answered. */
  answered(): Promise<void>;
}

export function createBackgroundRequests(log: Log): BackgroundRequests {
  const underWay = new Set<Promise<unknown>>();
  const attempt = async (what: string, request: () => Promise<unknown>): Promise<boolean> => {
    try {
      await request();
      return true;
    } catch (error) {
      if (error instanceof KubeError) {
        // Gone, or changed by someone else: the watch brings the truth.
        if (error.code !== 404 && error.code !== 409) log.warn(`cannot ${what}: ${error.message}`);
      } else log.error(`unexpected: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      return false;
    }
  };
  return {
    send(what, request) {
      const sent = attempt(what, request);
      underWay.add(sent);
      void sent.then(() => underWay.delete(sent));
      return sent;
    },
    async answered() {
      await Promise.all(underWay);
    },
  };
}
