// What a version's score sheet says about the market. Pure functions.
import type { MarketScore, ModelDetails } from "../api/types.ts";

/** The version beside the reference of its sheet, the closing price where there is one; null: not judged beside prices. */
export function marketOf(details: ModelDetails | undefined): MarketScore | null {
  if (details?.model.market) return details.model.market;
  const sheet = details?.details?.scores;
  const own = sheet?.forecasts.find((forecast) => forecast.name === details!.model.bot);
  if (!sheet || !own?.against_reference) return null;
  const reference = sheet.forecasts.find((forecast) => forecast.name === sheet.reference);
  const { value, low, high } = own.against_reference;
  return { reference: sheet.reference, rows: sheet.rows, log_loss: reference?.log_loss.value ?? null, difference: value, low, high };
}

/** The scale that several plots share. */
export function widestOf(markets: (MarketScore | null)[]): number {
  return Math.max(0.01, ...markets.flatMap((market) => [Math.abs(market?.low ?? 0), Math.abs(market?.high ?? 0)]));
}
