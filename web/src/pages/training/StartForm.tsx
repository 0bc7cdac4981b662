// What is to be learned: leagues x targets x bots, from how many matches, with which parameters.
import { useEffect, useState } from "react";
import { trainingOptions, trainingStart } from "../../api/routes.ts";
import type { BotOption, TrainingOptions, TrainingStatus } from "../../api/types.ts";
import { useQuery } from "../../live/cache.ts";
import { keys } from "../../live/keys.ts";
import { Button } from "../../ui/Button.tsx";
import { Card } from "../../ui/Card.tsx";
import { Chips } from "../../ui/Fields.tsx";
import { botName, integer, plural, timeframe } from "../../ui/format.ts";
import { Answer } from "../../ui/States.tsx";
import { toast } from "../../ui/toasts.ts";
import { useAction } from "../../ui/useAction.ts";
import { DepthSlider } from "./DepthSlider.tsx";
import { LeaguePicker } from "./LeaguePicker.tsx";
import { ParameterForm } from "./ParameterForm.tsx";
import { batchOptions, changedParameters, commonOptions, problemsOf, type Values } from "./parameters.ts";
import "./StartForm.css";

interface Choice {
  symbols: string[];
  timeframes: string[];
  bots: string[];
  depth: number; // 0: every match there is
  values: Values; // of the engine
  training: Values; // of the training around it
}

function firstChoice(options: TrainingOptions): Choice {
  const biggest = [...options.symbols].sort((a, b) => b.matches - a.matches)[0];
  const usual = options.symbols.find((one) => one.id === "E0" && one.matches > 0) ?? biggest;
  return {
    symbols: usual && usual.matches > 0 ? [usual.id] : [],
    timeframes: options.timeframes.slice(0, 1).map((one) => one.id),
    bots: options.bots.filter((one) => one.id === "lightgbm").map((one) => one.id),
    depth: 0,
    values: {},
    training: {},
  };
}

/** What people train first; what others are only measured against, last. */
const byUse = (a: BotOption, b: BotOption) => Number(a.is_baseline ?? false) - Number(b.is_baseline ?? false) || rank(a.id) - rank(b.id);
const rank = (id: string) => (id.startsWith("lightgbm") ? 0 : 1);

function Summary({ choice, problem }: { choice: Choice; problem: string | null }) {
  const count = choice.symbols.length * choice.timeframes.length * choice.bots.length;
  if (problem) return <p className="problem">{problem}</p>;
  if (count === 0) {
    const missing = choice.symbols.length === 0 ? "a league" : choice.timeframes.length === 0 ? "a target" : "a bot";
    return <p>Choose {missing} to begin.</p>;
  }
  return (
    <p className="num">
      {plural(choice.symbols.length, "league")} × {plural(choice.timeframes.length, "target")} × {plural(choice.bots.length, "bot")} ={" "}
      <b>{plural(count, "training")}</b>
    </p>
  );
}

function Form({ options, status }: { options: TrainingOptions; status: TrainingStatus | undefined }) {
  const [choice, setChoice] = useState(() => firstChoice(options));
  const change = (part: Partial<Choice>) => setChoice((old) => ({ ...old, ...part }));
  const rows = commonOptions(options.bots.filter((bot) => choice.bots.includes(bot.id)));
  const trainingRows = batchOptions(options);
  const problem = problemsOf(rows, choice.values) ?? problemsOf(trainingRows, choice.training);
  const available = options.symbols.reduce((sum, one) => sum + one.matches, 0);
  const count = choice.symbols.length * choice.timeframes.length * choice.bots.length;
  const start = useAction(async () => {
    const parameters = changedParameters(rows, choice.values);
    const { queued } = await trainingStart({
      symbols: choice.symbols,
      timeframes: choice.timeframes,
      bots: choice.bots,
      ...(choice.depth > 0 ? { last: choice.depth } : {}),
      ...(Object.keys(parameters).length > 0 ? { parameters } : {}),
      ...changedParameters(trainingRows, choice.training),
    });
    toast("good", `${plural(queued, "training")} queued`);
  });
  return (
    <form
      className="start"
      onSubmit={(event) => {
        event.preventDefault();
        void start.run();
      }}
    >
      <fieldset className="start-step">
        <legend>
          Leagues <small>{choice.symbols.length > 0 ? `${integer(choice.symbols.length)} chosen` : "none chosen"}</small>
        </legend>
        <LeaguePicker symbols={options.symbols} chosen={choice.symbols} onChange={(symbols) => change({ symbols })} />
      </fieldset>
      <div className="start-step">
        <div className="start-title">Targets</div>
        <Chips
          legend="Targets"
          choices={options.timeframes.map(({ id }) => ({ id, name: timeframe(id) }))}
          chosen={choice.timeframes}
          onChange={(timeframes) => change({ timeframes })}
        />
      </div>
      <div className="start-step">
        <div className="start-title">Bots</div>
        <Chips
          legend="Bots"
          choices={[...options.bots].sort(byUse).map(({ id, doc }) => ({ id, name: botName(id), title: doc }))}
          chosen={choice.bots}
          onChange={(bots) => change({ bots })}
        />
      </div>
      <DepthSlider value={choice.depth} most={options.max_depth} available={available} onChange={(depth) => change({ depth })} />
      <div>
        <ParameterForm
          title="Hyper-parameters"
          rows={rows}
          none={choice.bots.length === 0 ? "Choose a bot to see its parameters." : "The chosen bots share no parameter. Start them one by one to tune them."}
          values={choice.values}
          onChange={(values) => change({ values })}
        />
        <ParameterForm
          title="Data and judging"
          rows={trainingRows}
          none="There is nothing to set."
          values={choice.training}
          onChange={(training) => change({ training })}
        />
      </div>
      <div className="start-foot">
        <Summary choice={choice} problem={problem} />
        <Button type="submit" kind="primary" icon="play" isBusy={start.isBusy} disabled={count === 0 || problem !== null}>
          {status?.is_running ? "Add to the queue" : "Start training"}
        </Button>
      </div>
    </form>
  );
}

export function StartForm({ status }: { status: TrainingStatus | undefined }) {
  const answer = useQuery(keys.trainingOptions, trainingOptions);
  const { refetch } = answer;
  useEffect(() => void refetch(), [refetch]); // matches may have been imported since
  return (
    <Card title="New training" className="start-card">
      <Answer of={answer} what="The form" rows={8}>
        {(options) => <Form options={options} status={status} />}
      </Answer>
    </Card>
  );
}
