/** What a turn used: a quiet line, with each model call behind it. */

import { ChevronRight } from "lucide-react";
import { memo } from "react";
import { count, duration, inFull, price, tokensRead } from "../../../session/spend";
import type { SpentItem } from "../../../session/view";
import styles from "./TurnSpent.module.css";

export const TurnSpent = memo(function TurnSpent({ item }: { item: SpentItem }) {
  const { calls } = item;
  const priced = calls.some((it) => price(it.spend) !== null);
  return (
    // It is no news to those who listen.
    <details className={styles.root} aria-live="off">
      <summary className="nodrag" title="What this turn used">
        <ChevronRight size={12} className={styles.chevron} />
        <span className={styles.parts}>
          {inFull(item.spend).map((part) => (
            <span key={part}>{part}</span>
          ))}
        </span>
      </summary>
      <table className={styles.calls}>
        <caption className="visually-hidden">Model calls of this turn</caption>
        <thead>
          <tr>
            <th scope="col">Model call</th>
            <th scope="col">Time</th>
            <th scope="col">Read</th>
            <th scope="col">Cached</th>
            <th scope="col">Written</th>
            {priced && <th scope="col">Price</th>}
          </tr>
        </thead>
        <tbody>
          {calls.map(({ id, step, model, spend }) => (
            <tr key={id}>
              <th scope="row" title={model}>
                {step ?? "Code"} <small>{model}</small>
              </th>
              <td>{duration(spend.seconds)}</td>
              <td>{count(tokensRead(spend.usage))}</td>
              <td>{count(spend.usage.cached_tokens)}</td>
              <td>{count(spend.usage.output_tokens)}</td>
              {priced && <td>{price(spend) ?? "–"}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
});
