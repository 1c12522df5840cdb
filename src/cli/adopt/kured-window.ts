/** kured's window as Drover's windows. kured asks for the weekday of the moment, so a window past midnight is two on each day. */
const names = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;

export interface Window {
  readonly days?: readonly string[];
  readonly start: string;
  readonly end: string;
}

/** "su,mo", "sunday", "0-6" is not a form of kured's; what cannot be read is left out, as kured would refuse to start. */
export function daysOf(text: string): readonly string[] {
  const found = new Set<string>();
  for (const word of text
    .toLowerCase()
    .split(/[,\s]+/)
    .filter(Boolean)) {
    const index = /^[0-6]$/.test(word)
      ? Number(word)
      : names.findIndex((name) => word.startsWith(name.slice(0, 2).toLowerCase()));
    const name = names[index];
    if (name) found.add(name);
  }
  return names.filter((name) => found.has(name));
}

/** Minutes since midnight of 15:04, 15:04:05, 03:04pm, 15, 03pm, 3pm; null for another form. */
function minutesOf(text: string, up: boolean): number | null {
  const [, hour = '', minute = '0', second = '0', half] =
    /^(\d{1,2})(?::(\d{2}))?(?::(\d{2}))?\s*(am|pm)?$/i.exec(text.trim()) ?? [];
  if (hour === '') return null;
  const at = half ? (Number(hour) % 12) + (half.toLowerCase() === 'pm' ? 12 : 0) : Number(hour);
  const minutes = at * 60 + Number(minute) + (up && Number(second) > 0 ? 1 : 0);
  return at < 24 && Number(minute) < 60 ? minutes : null;
}

const written = (minutes: number) =>
  `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;

/** null: always open. @throws RangeError for a time that kured would not read */
export function windowsOf(days: string, start: string, end: string): readonly Window[] | null {
  const [from, to] = [minutesOf(start, false), minutesOf(end, true)];
  if (from === null || to === null) throw new RangeError(`start-time ${start} and end-time ${end} cannot be read as times`);
  const open = daysOf(days);
  const isEveryDay = open.length === 7;
  const on = isEveryDay ? {} : { days: open };
  if (from === 0 && to === 1_440) return isEveryDay ? null : [{ ...on, start: '00:00', end: '24:00' }];
  if (from < to) return [{ ...on, start: written(from), end: written(to) }];
  if (isEveryDay) return [{ start: written(from), end: written(to) }];
  // On each day of its own, from midnight and until midnight: Saturday night ends with Saturday.
  const early = to > 0 ? [{ ...on, start: '00:00', end: written(to) }] : [];
  return [...early, { ...on, start: written(from), end: '24:00' }];
}
