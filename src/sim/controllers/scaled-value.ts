/** A number or a share of replicas, as apimachinery's GetScaledValueFromIntOrPercent takes it: 3, "25%". */
export function scaledValue(value: string | number, total: number, round: 'up' | 'down'): number {
  if (typeof value === 'number') return value;
  const share = /^(\d+)%$/.exec(value);
  if (!share) throw new RangeError(`${JSON.stringify(value)} is neither a number (3) nor a percentage (25%)`);
  const exact = (Number(share[1]) * total) / 100;
  return round === 'up' ? Math.ceil(exact) : Math.floor(exact);
}
