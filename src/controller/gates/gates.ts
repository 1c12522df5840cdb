/** The gates of a running controller: what the engine is told of the outside, and what is asked for it. */
import type { AskedQuestion, GateNeeds, GateWorld, Verdict } from '../../engine/gates/gate.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import { readCredentials } from './credentials.ts';
import { createPodWatches } from './pod-watches.ts';
import { createPoller } from './poller.ts';
import { readAnswer, requestFor } from './read-answers.ts';
import type { SendGateRequest } from './send.ts';
import { createSettling, findUnsettled } from './workloads.ts';

export interface GatesOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly send: SendGateRequest;
  /** Where Secrets and ConfigMaps are read. */
  readonly namespace: string;
  readonly onChange: () => void;
  /** Of each answer: what was asked, and whether it was open, closed or none. */
  readonly onAnswer: (ask: AskedQuestion['question']['ask'], result: 'Open' | 'Closed' | 'Unanswered') => void;
}

export interface Gates extends GateWorld {
  /** After each pass: what it looked at. */
  provide(needs: GateNeeds): void;
  stop(): void;
}

export function createGates(options: GatesOptions): Gates {
  const { client, clock, log, namespace, send } = options;
  const settling = new Map<string, ReturnType<typeof createSettling>>();

  const ask = async ({ question, key, timeoutMs }: AskedQuestion): Promise<Verdict> => {
    if (question.ask === 'Workloads') {
      let settled = settling.get(key);
      if (!settled) settling.set(key, (settled = createSettling(question.forMs)));
      try {
        const { namespaces, forMs } = question;
        return settled.see(await findUnsettled(client, namespaces, forMs, clock.now(), timeoutMs), clock.now());
      } catch (error) {
        settled.reset();
        throw error;
      }
    }
    const { endpoint } = question;
    const { headers, authority, secrets } = await readCredentials(client, namespace, endpoint);
    const asking = requestFor(question);
    try {
      const reply = await send({
        ...asking,
        headers: { ...asking.headers, ...headers },
        timeoutMs: endpoint.timeoutMs,
        insecure: endpoint.insecure,
        ...(authority !== undefined && { authority }),
        ...(endpoint.serverName !== undefined && { serverName: endpoint.serverName }),
      });
      return withoutSecrets(readAnswer(question, reply), secrets);
    } catch (error) {
      // Not thrown on with its cause: that may hold what was sent.
      return { is: 'Unanswered', message: hide(error instanceof Error ? error.message : String(error), secrets) };
    }
  };

  const failing = new Set<string>();
  const poller = createPoller({
    clock,
    random: options.random,
    ask,
    onChange: options.onChange,
    onAnswer(asked, verdict) {
      const closed = verdict.is === 'Unanswered' ? 'Unanswered' : 'Closed';
      options.onAnswer(asked.question.ask, verdict.is === 'Open' ? 'Open' : closed);
      if (verdict.is !== 'Unanswered') failing.delete(asked.key);
      else if (!failing.has(asked.key)) {
        failing.add(asked.key);
        log.warn(`a gate cannot be asked and counts as closed: ${verdict.message}`);
      }
    },
  });
  const watches = createPodWatches(options);
  return {
    answer: poller.answer,
    pods: watches.pods,
    provide(needs) {
      const { asked, pods } = needs;
      poller.provide(needs);
      watches.provide(pods);
      // What was well while nobody looked is not known: the while begins anew.
      for (const [key, settled] of settling) if (!asked.has(key)) settled.reset();
    },
    stop() {
      poller.stop();
      watches.stop();
    },
  };
}

/** An answer may repeat what was sent. */
function hide(text: string, secrets: readonly string[]): string {
  return secrets.reduce((hidden, secret) => hidden.replaceAll(secret, '***'), text);
}

function withoutSecrets(verdict: Verdict, secrets: readonly string[]): Verdict {
  if (verdict.is === 'Result') return { ...verdict, result: hide(verdict.result, secrets) };
  return verdict.is === 'Unfit' ? { ...verdict, found: hide(verdict.found, secrets) } : verdict;
}
