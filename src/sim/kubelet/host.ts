/** What a kubelet has of its own: its machine. */
import type { Millis } from '../../lib/clock.ts';
import type { Pod } from '../kubernetes.ts';

/**
 * `up`: works. `silent`: the containers run, the kubelet does nothing (hung, or cut off). `off`: the machine is down, nothing runs.
 * `leaving`: a graceful shutdown; pods are being stopped, no new ones start.
 */
export type Power = 'up' | 'silent' | 'off' | 'leaving';

export interface Host {
  readonly name: string;
  readonly ip: string;
  power: Power;
  /** Everything on this node takes this many times as long. Default 1. */
  slowness: number;
  bootId: string;
  /** Image to the time at which it is, or will be, on the node. */
  readonly images: Map<string, Millis>;
  /** Images are pulled one after the other: the kubelet's serializeImagePulls, on by default. */
  pullsDoneAt: Millis;
}

export function imagesOf({ spec }: Pod): readonly string[] {
  const images = new Set<string>();
  for (const { image } of [...(spec.initContainers ?? []), ...spec.containers]) if (image !== undefined) images.add(image);
  return [...images];
}

/** Milliseconds from `now` until all images are there, having the missing ones pulled; Infinity when one of them never comes. */
export function pull(host: Host, pod: Pod, now: Millis, duration: () => Millis): Millis {
  let at = now;
  for (const image of imagesOf(pod)) {
    let there = host.images.get(image);
    if (there === undefined) {
      there = Math.max(now, host.pullsDoneAt) + duration();
      if (there === Number.POSITIVE_INFINITY) return there;
      host.pullsDoneAt = there;
      host.images.set(image, there);
    }
    at = Math.max(at, there);
  }
  return at - now;
}
