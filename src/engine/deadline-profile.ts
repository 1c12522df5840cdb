/**
 * How a drain is altered when its machine goes at a known time. A table: what was announced -> which profile; profile -> what it changes.
 * What a policy sets itself is left as it is: a ladder, a handover other than the default, an order of pods.
 */
import type { Millis } from '../lib/clock.ts';
import { defaultDrainSettings, type DrainSettings } from './settings.ts';

export type ProfileName = 'Ordinary' | 'SurgeFirst' | 'HalfMinute' | 'TwoMinutes' | 'Minutes' | 'Days';

interface Profile {
  /** False: the time that was announced does not make a deadline of it. */
  readonly machineGoes: boolean;
  /** The share of the notice for which budgets are kept; null: for as long as the grace of a pod still fits in. */
  readonly budgetShare: number | null;
  /** Pods do not wait for others in an earlier tier. */
  readonly allAtOnce: boolean;
  /** Instead of the default handover; null: as it is. */
  readonly handover: DrainSettings['handover'] | null;
  /** Pods have to have stopped so long before the end: notices are best effort. */
  readonly marginMs: Millis;
  /** Held by windows and limits until an hour before. */
  readonly waitsForWindow: boolean;
}

const profiles = {
  Ordinary: { machineGoes: false, budgetShare: null, allAtOnce: false, handover: null, marginMs: 0, waitsForWindow: false },
  SurgeFirst: { machineGoes: false, budgetShare: null, allAtOnce: false, handover: 'Always', marginMs: 0, waitsForWindow: false },
  // No replacement gets Ready in that time; what a pod gets is its stop.
  HalfMinute: { machineGoes: true, budgetShare: 0.5, allAtOnce: true, handover: 'Never', marginMs: 2_000, waitsForWindow: false },
  TwoMinutes: { machineGoes: true, budgetShare: 0.5, allAtOnce: true, handover: null, marginMs: 5_000, waitsForWindow: false },
  Minutes: { machineGoes: true, budgetShare: null, allAtOnce: false, handover: null, marginMs: 10_000, waitsForWindow: false },
  Days: { machineGoes: true, budgetShare: null, allAtOnce: false, handover: null, marginMs: 60_000, waitsForWindow: true },
} as const satisfies Record<ProfileName, Profile>;

export const profileOf = (name: ProfileName): Profile => profiles[name];

const MINUTE = 60_000;

/** What each kind of announcement means for its machine, and the least notice that its cloud gives where it names no time. */
const announcements: Readonly<Record<string, { readonly does: 'Goes' | 'Surge' | 'Nothing'; readonly leastMs?: Millis }>> = {
  SpotInterruption: { does: 'Goes', leastMs: 30_000 },
  Terminate: { does: 'Goes' },
  Redeploy: { does: 'Goes' },
  Reboot: { does: 'Goes' },
  Maintenance: { does: 'Goes' },
  HardwareFailure: { does: 'Goes' },
  AutoscalingTermination: { does: 'Goes' },
  RebalanceRecommendation: { does: 'Surge' },
  // The machine stands still for seconds and goes on: to delete a pod for that would be worse.
  Freeze: { does: 'Nothing' },
  RebootRequired: { does: 'Nothing' },
  CustomCheck: { does: 'Nothing' },
};

// AWS gives 120 s to a spot machine, Azure and GCP 30 s; what they really give is what counts. Clocks and polls take some seconds of it.
const byNotice: readonly (readonly [upTo: Millis, name: ProfileName])[] = [
  [45_000, 'HalfMinute'],
  [150_000, 'TwoMinutes'],
  [120 * MINUTE, 'Minutes'],
  [Number.POSITIVE_INFINITY, 'Days'],
];

/** Least notice of a kind of which a deadline is made although nobody told one; null: none is made. */
export function leastNotice(kind: string): Millis | null {
  return announcements[kind]?.leastMs ?? null;
}

/** @param noticeMs from when it was told to when the machine goes; null: no time is known */
export function profileFor(kind: string, noticeMs: Millis | null): ProfileName {
  const does = announcements[kind]?.does ?? 'Nothing';
  if (does === 'Surge') return 'SurgeFirst';
  if (does === 'Nothing' || noticeMs === null) return 'Ordinary';
  return byNotice.find(([upTo]) => noticeMs <= upTo)?.[1] ?? 'Days';
}

/** @param since when it was told; the budgets' share of the notice counts from then. Absent: from the start of the drain */
export function applyProfile(settings: DrainSettings, name: ProfileName, since?: Millis): DrainSettings {
  const { budgetShare, allAtOnce, handover, marginMs } = profiles[name];
  const ordered = settings.rules.some(({ order }) => order !== undefined);
  const climbs = settings.ladder.length > 0;
  return {
    ...settings,
    ...(handover !== null && settings.handover === defaultDrainSettings.handover && { handover }),
    hurry: {
      allAtOnce: allAtOnce && !ordered,
      budgetShare: climbs ? null : budgetShare,
      marginMs,
      ...(since !== undefined && { since }),
    },
  };
}
