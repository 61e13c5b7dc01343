/** money is an amount of a currency's smallest unit, which may be a fraction of it. */
export function money(amount: number, currency: string): string {
  const decimals = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
  return new Intl.NumberFormat('en', {
    style: 'currency',
    currency,
    maximumFractionDigits: Math.max(decimals, 6),
    minimumFractionDigits: amount % 10 ** decimals === 0 ? 0 : decimals,
  }).format(amount / 10 ** decimals);
}

const coarse = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const fine = new Intl.NumberFormat('en', { maximumFractionDigits: 2 });

/** minutes is a number of minutes, to the hundredth while there are few. */
export function minutes(count: number): string {
  return (count < 10 ? fine : coarse).format(count);
}
