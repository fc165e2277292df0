#!/bin/sh
# What the image runs: `driver` is the application itself in client mode; `executor` is what Spark's scheduler asks of any image,
# since pyspark's wheel brings the jars but not the entrypoint of Spark's own image. Anything else is run as it stands.
set -eu

role="${1:-driver}"
[ $# -eq 0 ] || shift

case "$role" in
driver)
    exec python -m distribution_job --config "${FINK_JOB_CONFIG:?FINK_JOB_CONFIG must name the config file}" "$@"
    ;;
executor)
    # SPARK_JAVA_OPT_0, _1, ... are one option each, in that order; an option may hold blanks.
    set --
    i=0
    while eval "[ -n \"\${SPARK_JAVA_OPT_$i+set}\" ]"; do
        eval "set -- \"\$@\" \"\$SPARK_JAVA_OPT_$i\""
        i=$((i + 1))
    done
    classpath="${SPARK_CONF_DIR:-$SPARK_HOME/conf}:${SPARK_CLASSPATH:+$SPARK_CLASSPATH:}$SPARK_HOME/jars/*"
    classpath="${HADOOP_CONF_DIR:+$HADOOP_CONF_DIR:}$classpath:${SPARK_EXTRA_CLASSPATH:+$SPARK_EXTRA_CLASSPATH:}$PWD"
    exec "$JAVA_HOME/bin/java" "$@" \
        "-Xms$SPARK_EXECUTOR_MEMORY" "-Xmx$SPARK_EXECUTOR_MEMORY" \
        -cp "$classpath${SPARK_DIST_CLASSPATH:+:$SPARK_DIST_CLASSPATH}" \
        org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend \
        --driver-url "$SPARK_DRIVER_URL" \
        --executor-id "$SPARK_EXECUTOR_ID" \
        --cores "$SPARK_EXECUTOR_CORES" \
        --app-id "$SPARK_APPLICATION_ID" \
        --hostname "$SPARK_EXECUTOR_POD_IP" \
        --resourceProfileId "$SPARK_RESOURCE_PROFILE_ID" \
        --podName "$SPARK_EXECUTOR_POD_NAME"
    ;;
*)
    exec "$role" "$@"
    ;;
esac
