;; The real Elle behind a pipe: one request a line on stdin, one answer a line on stdout, both EDN. polarsim starts this
;; once and asks many times, because a JVM takes seconds to load Elle and milliseconds to use it. See README.md beside
;; this file for the protocol.
(ns polarsim.elle.bridge
  (:require [clojure.edn :as edn]
            [clojure.java.io :as io])
  (:import (java.io BufferedReader InputStreamReader PrintStream PushbackReader StringReader)))

;; Answers alone may go to stdout: whatever Elle or a library prints goes to stderr from here on.
(def ^PrintStream answers System/out)
(System/setOut System/err)
(alter-var-root #'*out* (constantly *err*))

(defn say
  "Prints an answer as one line."
  [answer]
  (binding [*print-length* nil, *print-level* nil, *print-namespace-maps* false]
    (.println answers (.replace (pr-str answer) "\n" " "))
    (.flush answers)))

(defn reason
  "What a throwable says, in one short text."
  [^Throwable thrown]
  (let [deepest (last (take-while some? (iterate #(.getCause ^Throwable %) thrown)))
        text    (str (.getName (class deepest)) ": " (or (ex-message deepest) (ex-message thrown) "no message"))]
    (subs text 0 (min 600 (count text)))))

;; Elle asks the logging library unilog to log to stdout, and its jar does not bring it. This takes its place.
(create-ns 'unilog.config)
(intern 'unilog.config 'start-logging! (fn [_] nil))
(dosync (commute @#'clojure.core/*loaded-libs* conj 'unilog.config))

(defn index-pairs-first
  "Has histories that are derived from others know their pairs of operations from the beginning. Release 0.2.7 of Elle finds
  them out when folds over the history are under way already, and then deadlocks now and then on few cores. Its sources
  do the same since then."
  [derive]
  (let [ensure-pair-index (resolve 'jepsen.history/ensure-pair-index)]
    (fn [history]
      (doto (derive history) ensure-pair-index))))

(defn load-elle
  "Elle's functions by name. Loaded here and not by ns, so that a missing one can be told as an answer."
  []
  (require 'elle.list-append 'elle.rw-register 'jepsen.history)
  (doseq [derive ['jepsen.history/client-ops 'jepsen.history/possible]]
    (alter-var-root (resolve derive) index-pairs-first))
  {:list-append (resolve 'elle.list-append/check)
   :rw-register (resolve 'elle.rw-register/check)
   :history     (resolve 'jepsen.history/history)})

(defn version
  "Of Elle, as its jar tells; nil where it is no jar."
  []
  (when-let [properties (io/resource "META-INF/maven/elle/elle/pom.properties")]
    (with-open [stream (io/input-stream properties)]
      (.getProperty (doto (java.util.Properties.) (.load stream)) "version"))))

(defn read-operations
  "All operations of an EDN text: one map after another, or one vector of maps."
  [reader]
  (let [reader (PushbackReader. reader 65536)
        form   #(edn/read {:eof ::end, :default (fn [_ value] value)} reader)]
    (loop [operations (transient [])]
      (let [next-form (form)]
        (cond (= ::end next-form)        (persistent! operations)
              (sequential? next-form)    (recur (reduce conj! operations next-form))
              :else                      (recur (conj! operations next-form)))))))

(defn completed
  "Operations of clients alone, in which one that never completes has an unknown outcome: Elle would take no notice of it."
  [operations]
  (let [operations (filterv #(integer? (:process %)) operations)
        open       (reduce (fn [open operation]
                             (if (= :invoke (:type operation))
                               (assoc open (:process operation) operation)
                               (dissoc open (:process operation))))
                           {} operations)]
    (into operations (map #(assoc % :type :info) (sort-by :process (vals open))))))

(defn numbered
  "With indexes from 0 on, which is the form of a history that Elle is fastest and safest on."
  [operations]
  (into [] (map-indexed #(assoc %2 :index %1)) operations))

(defn check
  "The answer to one request."
  [elle {:keys [model file history options]}]
  (let [checker (or (get elle (keyword model))
                    (throw (IllegalArgumentException. (str "no model is called " (pr-str model)))))
        operations (with-open [reader (if file (io/reader file) (BufferedReader. (StringReader. history)))]
                     (numbered (completed (read-operations reader))))
        result  (checker options ((:history elle) operations {:dense-indices? true, :have-indices? true}))]
    {:valid?        (:valid? result)
     :anomaly-types (vec (:anomaly-types result))
     :not           (vec (sort (:not result)))
     :also-not      (vec (sort (:also-not result)))}))

(defn answer
  "Never throws."
  [elle line]
  (let [request (try (edn/read-string line) (catch Throwable _ nil))
        id      (:id request)]
    (if-not (and (map? request) (integer? id))
      {:error (str "not a request: " line)}
      (try (assoc (check elle request) :id id)
           (catch Throwable thrown {:id id, :error (reason thrown)})))))

(defn serve
  "Answers until stdin ends."
  []
  (when-let [elle (try (load-elle) (catch Throwable thrown (say {:failed (reason thrown)}) nil))]
    (say {:ready true, :version (version)})
    (with-open [requests (BufferedReader. (InputStreamReader. System/in "UTF-8"))]
      (doseq [line (line-seq requests)]
        (say (answer elle line))))))

(serve)
(shutdown-agents)
(System/exit 0)
