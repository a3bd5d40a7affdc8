/** What the whole session has used: a word, with the rest behind it. */

import { cached, count, duration, inShort, price, tokensOf, tokensRead } from "../../session/spend";
import { cx } from "../../ui/cx";
import { Popover } from "../../ui/Popover";
import { useView } from "./context";
import styles from "./SessionSpent.module.css";

export function SessionSpent() {
  const spend = useView((view) => view.spend);
  const { usage } = spend;
  if (tokensOf(usage) === 0) return null;
  const share = cached(usage);
  const money = price(spend);
  return (
    <Popover
      title="What this animation has used"
      side="top"
      trigger={
        <button
          type="button"
          className={cx(styles.trigger, "nodrag")}
          aria-label={`This animation has used ${inShort(spend)}`}
        >
          {inShort(spend)}
        </button>
      }
    >
      <dl className={styles.facts}>
        <dt>Time at work</dt>
        <dd>{duration(spend.seconds)}</dd>
        <dt>Tokens read</dt>
        <dd>
          {count(tokensRead(usage))}
          {share ? <small>{share} % from cache</small> : null}
        </dd>
        <dt>Tokens written</dt>
        <dd>{count(usage.output_tokens)}</dd>
        {money && (
          <>
            <dt>Price</dt>
            <dd>
              {money}
              {usage.cost_micros > 0 && spend.unpriced > 0 && (
                <small>{count(spend.unpriced)} tokens have no known price</small>
              )}
            </dd>
          </>
        )}
      </dl>
    </Popover>
  );
}
